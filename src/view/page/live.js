"use strict";
const session = document.getElementById("session");
const state = document.getElementById("state");
const nests = new Set(["DIV", "MAIN", "SECTION"]);
let isTaking = false, isMore = false, isOver = false, failures = 0, soon;

const isElement = node => node.nodeType === Node.ELEMENT_NODE;
const nameOf = node => (isElement(node) ? node.id || node.getAttribute("aria-labelledby") : null);

// What is the same stays, so that what is open or selected in it does, too.
function grow(old, fresh) {
    if (old.nodeName === "DETAILS" && old.id === fresh.id) fresh.open = old.open;
    if (old.isEqualNode(fresh)) return;
    if (!nests.has(old.nodeName) || !old.cloneNode(false).isEqualNode(fresh.cloneNode(false))) {
        old.replaceWith(fresh);
        return;
    }
    // What has a name is found by it, wherever it stands now; all else by its place.
    const named = new Map([...old.childNodes].filter(nameOf).map(node => [nameOf(node), node]));
    let next = old.firstChild;
    for (const node of [...fresh.childNodes]) {
        const name = nameOf(node), known = name && named.get(name);
        if (known?.parentNode === old) {
            named.delete(name);
            while (next !== known) next = dropped(next);
        } else if (name || !next || nameOf(next)) {
            old.insertBefore(node, next);
            continue;
        }
        const here = next;
        next = next.nextSibling;
        grow(here, node);
    }
    while (next) next = dropped(next);
}

function dropped(node) {
    const next = node.nextSibling;
    node.remove();
    return next;
}

function show(text) {
    const fresh = new DOMParser().parseFromString(`<div id="session">${text}</div>`, "text/html").getElementById("session");
    grow(session, fresh);
    document.title = session.querySelector("h1").textContent + " as it is said";
}

async function take() {
    if (isOver) return;
    if (isTaking) {
        isMore = true;
        return;
    }
    isTaking = true;
    try {
        const answer = await fetch("session");
        const text = await answer.text();
        if (answer.ok && !isOver) show(text);
    } catch {
        // The events say whether anybody is there.
    }
    setTimeout(() => {
        isTaking = false;
        if (isMore) {
            isMore = false;
            take();
        }
    }, 200);
}

const events = new EventSource("events");
// Of many that come at once the last is enough, and of the last the end knows all.
events.onmessage = () => {
    soon ??= setTimeout(() => {
        soon = undefined;
        take();
    }, 40);
};
events.onopen = () => {
    failures = 0;
    state.textContent = goesOn;
};
const goesOn = state.textContent;

function end(told) {
    isOver = true;
    clearTimeout(soon);
    events.close();
    state.textContent = told;
    state.className = "ended";
}

events.addEventListener("end", event => {
    show(JSON.parse(event.data));
    end("The session has ended. This is all that was said.");
});
// The browser tries again by itself, after a laptop's sleep for one.
events.onerror = () => {
    failures += 1;
    if (events.readyState === EventSource.CLOSED || failures >= 3) end("The session has ended, or cannot be reached.");
    else state.textContent = "The session cannot be reached at the moment.";
};
