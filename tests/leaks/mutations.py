"""Every redaction rule, and how to switch it off: text replacements in the source.

A mutation names a file, the text that makes the rule, what stands there without the rule, and the
cells of which at least one must fail then; or, where nothing gets so far unless another rule fails
too, the test that must.
"""

import dataclasses

PARAMETERS, HEADERS = "src/oauth/parameters.yaml", "src/oauth/headers.yaml"
VALUES, FIELDS, BODIES = "src/redact/values.rs", "src/redact/headers.rs", "src/redact/bodies.rs"
PATTERN, REDACTOR, ENCODING = (
    "src/redact/pattern.rs",
    "src/redact/redactor.rs",
    "src/redact/encoding.rs",
)
COOKIES, PAGE = "src/redact/cookies.rs", "src/redact/page.rs"
TEXT, URLS = "src/redact/text.rs", "src/redact/urls.rs"

LEDGER, FRAGMENT = "src/redact/ledger.rs", "src/redact/fragment.rs"
FULL = "--test it a_full_ledger_drops_bodies"
POISON = "--test it values_that_are_meant_to_deface"
PARAMETER = "--test it a_registered_secret_is_replaced"
MEMBER = "--test it a_registered_member_is_replaced"
FIELD = "--test it what_a_registered_field_carries"
END = "--test it what_betrays_a_secret_at_the_end"


@dataclasses.dataclass(frozen=True)
class Mutation:
    name: str
    file: str
    old: str
    new: str
    # As `run.py --only` takes it.
    cells: str = ""
    # As `cargo test` takes it.
    test: str = ""


def row(name, old, test, file=PARAMETERS):
    """A row of a table whose values are kept instead; what looks random is replaced even so."""
    start, old_class = old.split("\n  class: ")
    return Mutation(f"{name} is kept", file, old, f"{start}\n  class: keep", test=test)


def secrets_row(kind, names, klass):
    """A registered parameter, which its name alone tells to be secret."""
    test = MEMBER if kind == "user-code" else PARAMETER
    return row(kind, f"- names: [{names}]\n  class: {klass}", test)


def encoding(name, lines, test="a_secret_is_found_in_every_encoding"):
    """A spelling that the sweep does not look for; what is no known word is replaced even so."""
    old = "".join(f"    Encoding::{line},\n" for line in lines)
    return Mutation(f"no sweep for {name}", ENCODING, old, "", test=f"--lib {test}")


MUTATIONS = (
    secrets_row("client-secret", "client_secret", "secret"),
    secrets_row("state", "state", "secret"),
    secrets_row("code", "code", "secret"),
    secrets_row("access-token", "access_token, refresh_token", "secret"),
    secrets_row(
        "password",
        "password, otp, pin, passcode, security_answer, passwd, Passwd, pwd, j_password, otc, totp, "
        "mfa_code",
        "low_entropy",
    ),
    secrets_row("verifier", "code_verifier", "secret"),
    secrets_row(
        "client-assertion",
        "client_assertion, assertion, client_notification_token, login_hint_token",
        "secret",
    ),
    secrets_row("device-code", "device_code, auth_req_id", "secret"),
    secrets_row("user-code", "user_code", "low_entropy"),
    secrets_row(
        "nonce",
        "nonce, request, id_token, id_token_hint, session_state, sid, session_code",
        "secret",
    ),
    secrets_row(
        "saml",
        "response, vp_token, wallet_nonce, SAMLRequest, SAMLResponse, SAMLart, RelayState, Signature, "
        "wresult, wctx, ticket, rpt, pct, claim_token",
        "secret",
    ),
    row(
        "Authorization",
        "- names: [authorization]\n  class: authorization",
        FIELD,
        HEADERS,
    ),
    row(
        "Cookie",
        "- names: [cookie]\n  class: cookie",
        FIELD,
        HEADERS,
    ),
    row("Set-Cookie", "- names: [set-cookie]\n  class: set_cookie", FIELD, HEADERS),
    row(
        "a URL in a field",
        "- names: [location, content-location, referer, origin, link]\n  class: url",
        FIELD,
        HEADERS,
    ),
    Mutation(
        "unknown values are kept",
        VALUES,
        "None => self.secret(UNKNOWN, value, Shape::Declared),",
        "None => escape(value),",
        "kind=unknown|password,place=json|form|query|json-deep",
    ),
    Mutation(
        "unknown fields are kept",
        FIELDS,
        '_ => self.secret("header", value, Shape::Declared),\n        }\n    }',
        "_ => escape(value),\n        }\n    }",
        "place=custom-request-header|custom-response-header|trailers",
    ),
    Mutation(
        "what a secret word touches hides it",
        LEDGER,
        "self.has_plain && text.split(is_mark).any(is_known)",
        "self.has_plain && is_known(text)",
        test="--lib a_secret_that_is_a_plain_word_is_found_whatever_it_touches",
    ),
    Mutation(
        "what is nearly a secret is nobody's",
        LEDGER,
        "if self.variants.insert(value.to_owned()) {",
        "if false {",
        test="--lib what_is_nearly_a_secret_is_as_secret",
    ),
    Mutation(
        "what pages said is public",
        VALUES,
        "self.ledger.knows_in_any_case(value) || is_heard || self.ledger.is_full()",
        "self.ledger.knows_in_any_case(value)",
        test="--lib what_a_dropped_text_said_is_nobodys_public_name",
    ),
    Mutation(
        "a sentence may call a password what it likes",
        TEXT,
        "if is_announced || is_word_and_number(core) {",
        "if is_announced && false {",
        test="--lib what_a_sentence_calls_a_password_is_replaced",
    ),
    Mutation(
        "any correlation id is kept",
        FIELDS,
        "if is_correlation_id(value) && !self.may_be_secret(value) =>",
        "=>",
        "kind=email|access-token-jwt,place=custom-request-header,encoding=raw",
    ),
    Mutation(
        "public fields are not read",
        FIELDS,
        "                self.free_text(value)\n            }\n            Some(HeaderClass::Keep) =>",
        "                escape(value)\n            }\n            Some(HeaderClass::Keep) =>",
        "place=request-header,encoding=raw",
    ),
    Mutation(
        "sentences are not read",
        VALUES,
        "Some(Class::Text) => self.sentence(value),",
        "Some(Class::Text) => escape(value),",
        "place=error-description,encoding=raw",
    ),
    Mutation(
        "every word is known",
        "src/redact/vocabulary.rs",
        "    contains(ENGLISH, &lower) || contains(TECHNICAL, &lower)\n",
        "    !lower.is_empty()\n",
        "kind=person-name|user-code,place=error-description|path|query-name,encoding=raw",
    ),
    Mutation(
        "escapes hide what they hide",
        TEXT,
        "if self.hides(run) {",
        "if self.hides(run) && false {",
        "place=error-description|request-header,encoding=html-decimal|quoted-printable|percent-all",
    ),
    # Sentences and fields hold no word that is not known, whatever it looks like: what is left to
    # these are documents for everybody, and the audit of what other tools recorded.
    Mutation(
        "addresses of mail are no pattern",
        PATTERN,
        "if is_email(word) {\n        return Some(Looks::Email);\n    }",
        "",
        test="--lib tokens_and_people_are_told_from_words",
    ),
    Mutation(
        "IP addresses are no pattern",
        PATTERN,
        "if is_address(word) {\n        return Some(Looks::Address);\n    }",
        "",
        test="--lib tokens_and_people_are_told_from_words",
    ),
    Mutation(
        "JWTs are no pattern",
        PATTERN,
        "(jwt::parse(word).is_some() || has_vendor_prefix(word) || is_random(word))",
        "(has_vendor_prefix(word) || is_random(word))",
        test="--lib tokens_and_people_are_told_from_words",
    ),
    Mutation(
        "random runs are no pattern",
        PATTERN,
        "|| is_random(word))",
        ")",
        test="--lib tokens_and_people_are_told_from_words",
    ),
    Mutation(
        "userinfo is kept",
        URLS,
        'out.push_str(&self.secret("userinfo", userinfo, Shape::Hidden));',
        "out.push_str(userinfo);",
        "place=userinfo,encoding=raw",
    ),
    Mutation(
        "segments of paths are kept",
        URLS,
        "let is_kept = (is_plain(&decoded)",
        "let is_kept = true || (is_plain(&decoded)",
        "place=path,encoding=raw",
    ),
    Mutation(
        "names are kept",
        VALUES,
        "name.len() <= NAME_MAX && is_plain(name) && !is_known",
        "name.len() <= NAME_MAX || is_known",
        "place=cookie-name|query-name|form-name|json-key,encoding=raw",
    ),
    Mutation(
        "fragments are kept",
        URLS,
        "self.raw_params(fragment)",
        "fragment.to_owned()",
        "place=fragment",
    ),
    Mutation(
        "queries of URLs in fields are kept",
        URLS,
        "out.push_str(&self.raw_params(query));",
        "out.push_str(query);",
        "place=referer|redirect-chain",
    ),
    Mutation(
        "a query's own spelling is kept",
        REDACTOR,
        "(!writes_back(raw_query)).then(|| self.raw_params(raw_query))",
        "(!writes_back(raw_query)).then(|| raw_query.to_owned())",
        "place=query|query-name",
    ),
    Mutation(
        "a form's own spelling is kept",
        BODIES,
        "(!writes_back(text)).then(|| self.raw_params(text))",
        "(!writes_back(text)).then(|| text.to_owned())",
        "place=form|form-name",
    ),
    Mutation(
        "pages are kept",
        BODIES,
        "self.hear(text, is_strange);\n                if sniffed == Sniff::Xml {\n"
        "                    self.document(text);\n                }\n"
        "                drop(DropReason::Page)",
        "Body { text: Some(text.to_owned()), ..Body::default() }",
        "place=html-hidden|html-href|inline-js|xml,encoding=raw",
    ),
    Mutation(
        "any text is kept",
        BODIES,
        "_ => {\n                self.hear(text, is_telling);\n                drop(DropReason::UnknownText)",
        "_ => {\n                Body { text: Some(text.to_owned()), ..Body::default() }",
        "place=text|js-file|event-stream,encoding=raw",
    ),
    Mutation(
        "parts of multipart bodies are kept",
        BODIES,
        'text: self.value(place, if kept { name } else { "" }, text),',
        "text: text.to_owned(),",
        "place=multipart|multipart-nested",
    ),
    Mutation(
        "members of JSON keep their names",
        BODIES,
        "let name = self.name(key);",
        "let name = key.to_owned();",
        "place=json-key|jwt-claim-name,encoding=raw",
    ),
    Mutation(
        "cookies' values are kept",
        COOKIES,
        '_ => self.secret("cookie", value, Shape::Declared),\n        };\n        format!',
        "_ => value.to_owned(),\n        };\n        format!",
        "place=cookie|set-cookie,encoding=raw",
    ),
    Mutation(
        "cookies that name somebody are kept",
        COOKIES,
        'Some(CookieClass::Pseudonym) => self.secret("cookie", value, Shape::Typed),',
        "Some(CookieClass::Pseudonym) => value.to_owned(),",
        "place=cookie,encoding=raw",
    ),
    Mutation(
        "what is made up in a cookie's name is kept",
        COOKIES,
        "made => self.name(made),",
        "made => made.to_owned(),",
        "place=cookie-name,encoding=raw",
    ),
    Mutation(
        "any name of a header field is kept",
        VALUES,
        "let is_made_up = name.bytes().filter(u8::is_ascii_digit).count() > DIGITS_MAX\n            || name.split(['-', '_']).any(is_long);",
        "let is_made_up = false && name.split(['-', '_']).any(is_long);",
        "kind=phone|otp,place=header-name,encoding=raw",
    ),
    Mutation(
        "values of fields of forms are kept",
        PAGE,
        "_ => self.value(url_place(name), name, value),",
        "_ => value.to_owned(),",
        "place=html-hidden|form-post,encoding=raw",
    ),
    Mutation(
        "what is chosen is kept whatever its name",
        PAGE,
        "kinds.contains(&kind) && !registry::is_known(name) && is_words(value)",
        "kinds.contains(&kind) && is_words(value)",
        test="--lib what_is_chosen_is_kept",
    ),
    Mutation(
        "what is chosen is kept whatever it is",
        PAGE,
        "kinds.contains(&kind) && !registry::is_known(name) && is_words(value)",
        "kinds.contains(&kind) && !registry::is_known(name)",
        test="--lib what_is_chosen_is_kept_where_it_is_a_word_and_nobodys",
    ),
    Mutation(
        "names of fields of forms are kept",
        PAGE,
        "Named::new(self.name(&field.name), recorded)",
        "Named::new(field.name.clone(), recorded)",
        test="--lib a_form_is_written_without_what_is_in_it",
    ),
    Mutation(
        "actions of forms are kept",
        PAGE,
        "self.url(&form.action)",
        "form.action.clone()",
        "place=form-action,encoding=raw",
    ),
    Mutation(
        "scripts are not learned",
        PAGE,
        'self.learn("page", &literal, LEARNED_SHORTEST, &mut room);',
        "",
        "place=script-said,encoding=raw",
    ),
    Mutation(
        "attributes are not learned",
        PAGE,
        'self.learn("page", value, LEARNED_SHORTEST, &mut room);',
        "",
        "place=attribute-said,encoding=raw",
    ),
    Mutation(
        "addresses of pages are not learned",
        PAGE,
        "self.learn_address(address, &mut room);",
        "",
        test="--lib what_a_page_says",
    ),
    Mutation(
        "what a page has no room for is forgotten",
        PAGE,
        "if !room.takes(value) {\n            self.ledger.hear(value);",
        "if !room.takes(value) {",
        test="--lib what_there_is_no_room_to_learn",
    ),
    Mutation(
        "what SAML says is not learned",
        VALUES,
        "self.learn_inside(name, value);",
        "",
        "place=saml-said,encoding=raw",
    ),
    Mutation(
        "Basic's password is kept",
        FIELDS,
        "password.map(|password| self.value(Place::TokenRequest, password_name, password));",
        "password.map(str::to_owned);",
        "place=basic,encoding=raw",
    ),
    Mutation(
        "claims are declared as they are",
        FIELDS,
        "declaration.jwt_claims = Some(self.jwt_part(&Value::Object(jwt.claims), clock));",
        "declaration.jwt_claims = Some(Value::Object(jwt.claims).to_string());",
        "place=jwt-claim,encoding=raw",
    ),
    Mutation(
        "a JWT's header is declared as it is",
        FIELDS,
        "declaration.jwt_header = Some(self.jwt_part(&Value::Object(jwt.header), clock));",
        "declaration.jwt_header = Some(Value::Object(jwt.header).to_string());",
        "place=jwt-header,encoding=raw",
    ),
    Mutation(
        "attributes of cookies are not read",
        COOKIES,
        "self.free_text(attribute)",
        "attribute.to_owned()",
        test="--lib attributes_are_kept_as_far_as_they_are_known",
    ),
    Mutation(
        "nothing is swept",
        REDACTOR,
        "if let Some(swept) = self.sweeper.replace(text) {",
        "if let Some(swept) = self.sweeper.replace(text).filter(|_| false) {",
        test="--lib a_secret_that_is_learned_late_rewrites_what_was_written",
    ),
    Mutation(
        "what was written stays stale",
        REDACTOR,
        "let earlier_text_is_stale = self.kept.holds(fresh);",
        "let earlier_text_is_stale = false;",
        test="--lib a_secret_that_is_learned_late_rewrites_what_was_written",
    ),
    encoding("percent, all bytes", ("PercentAll", "PercentAllLower")),
    encoding("percent, twice", ("PercentTwice",)),
    encoding("JSON, all escaped", ("JsonUnicode",)),
    encoding("hexadecimal", ("Hex", "HexUpper")),
    encoding(
        "base64",
        ("Base64(0)", "Base64(1)", "Base64(2)"),
        "base64_is_found_in_both_of_its_alphabets",
    ),
    Mutation(
        "bodies are kept when the ledger is full",
        BODIES,
        "if is_absent || !self.ledger.is_full() {",
        "if true {",
        test=FULL,
    ),
    Mutation(
        "forms are kept when the ledger is full",
        BODIES,
        "let is_absent = body.absent.is_some() && body.forms.is_empty();",
        "let is_absent = body.absent.is_some();",
        test=FULL,
    ),
    Mutation(
        "sentences are kept when the ledger is full",
        TEXT,
        "if self.is_unread || self.ledger.is_full() {",
        "if self.is_unread {",
        test=FULL,
    ),
    Mutation(
        "a full ledger learns on",
        LEDGER,
        "let is_passing = self.is_full();",
        "let is_passing = false;",
        test=FULL,
    ),
    Mutation(
        "a full ledger forgets what stands in earlier texts",
        REDACTOR,
        "fresh.is_passing && !self.kept.may_hold(fresh);",
        "fresh.is_passing;",
        test=FULL,
    ),
    Mutation(
        "words of the protocol are replaced anywhere",
        LEDGER,
        "&& !self.common.contains(value)",
        "&& !value.is_empty()",
        test=POISON,
    ),
    Mutation(
        "the file's own keys are hits",
        REDACTOR,
        "        self.leak(written)?;\n",
        "        return self.leak(written);\n",
        test=POISON,
    ),
    Mutation(
        "encodings are not undone at the end",
        "src/redact/closure.rs",
        "if depth > DEPTH {",
        "if depth > 0 {",
        test=END,
    ),
    Mutation(
        "what betrayed a secret once does so no more",
        "src/redact/closure.rs",
        "if found.is_none() {",
        "if true {",
        test="--test it what_betrayed_a_secret_betrays_it_again",
    ),
    Mutation(
        "parts of secrets are not looked for",
        FRAGMENT,
        "turns >= TURNS_MIN &&",
        "turns > 1_000 &&",
        test=END,
    ),
    Mutation(
        "hashes of secrets are not looked for",
        FRAGMENT,
        "if secret.len() < HASHED_MIN {",
        "if secret.len() > 1 {",
        test=END,
    ),
    Mutation(
        "people in other tools' recordings are nobody's",
        "src/redact/recordings.rs",
        "match pattern::looks(clean)? {",
        "match pattern::looks(clean).filter(|looks| *looks == Looks::Token)? {",
        test="--test it any_recording_is_searched",
    ),
    Mutation(
        "an edit is not noticed",
        "src/cassette/stamp.rs",
        "self.sum == sum(text)",
        "!text.is_empty()",
        test="--test it a_stamp_says",
    ),
)
