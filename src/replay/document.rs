//! A page of authtape's own: words and a form at most, without scripts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::model::Response;
use crate::replay::refusal::MARK;

/// The page with this body, which is HTML.
pub(super) fn document(status: u16, body: &str) -> Response {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    // Nothing says where the form may lead: a browser would hold the redirect behind it to that, too.
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; frame-ancestors 'none'"
    );
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>authtape replay</title>\n<style>{STYLE}</style></head>\n\
         <body><main>\n{body}\n</main></body></html>\n"
    );
    Response::new(status, html)
        .with("Content-Type", "text/html; charset=utf-8")
        .with("Content-Security-Policy", policy)
        .with("Cache-Control", "no-store")
        .with("Referrer-Policy", "no-referrer")
        .with(MARK, "1")
}

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c2430;--dim:#5b6675;--line:#d5dbe3;--sheet:#fff;--back:#eef1f5;--go:#1a5fb4}\
@media(prefers-color-scheme:dark){:root{--ink:#e8ecf2;--dim:#9aa6b5;--line:#39424f;--sheet:#1d232c;--back:#12161c;--go:#3584e4}}\
*{box-sizing:border-box}\
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--back);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\
main{width:100%;max-width:26rem;padding:1.5rem;background:var(--sheet);border:1px solid var(--line);border-radius:12px;overflow-wrap:anywhere}\
h1{margin:.25rem 0 1rem;font-size:1.35rem;line-height:1.25;font-weight:500}\
h2{margin:1rem 0 .25rem;font-size:.8rem;font-weight:600;color:var(--dim)}\
p{margin:0}ul{margin:0;padding-left:1.25rem}\
.from,.none,.note{color:var(--dim);font-size:.9rem}.note{margin-top:1rem}\
form{display:flex;gap:.75rem;margin-top:1.5rem}\
button{flex:1;padding:.65rem;font:inherit;color:inherit;background:none;border:1px solid var(--line);border-radius:8px;cursor:pointer}\
.first{background:var(--go);border-color:var(--go);color:#fff}\
button:focus-visible{outline:3px solid var(--go);outline-offset:2px}";
