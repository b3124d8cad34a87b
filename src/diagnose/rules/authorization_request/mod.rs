//! The authorization request: what is asked for, how it is answered, and by whom it is sent.

mod authorize_called_by_script;
mod prompt_none_failed;
mod response_mode_wrong;
mod response_type_unsupported;
mod scope_downgraded;
mod scope_missing_openid;
mod scope_separator;
mod scope_unknown;
mod scopes;

use crate::diagnose::rule::Rule;

pub(super) const RULES: &[&Rule] = &[
    &authorize_called_by_script::RULE,
    &response_type_unsupported::RULE,
    &response_mode_wrong::RULE,
    &scope_separator::RULE,
    &scope_unknown::RULE,
    &prompt_none_failed::RULE,
    &scope_downgraded::RULE,
    &scope_missing_openid::RULE,
];
