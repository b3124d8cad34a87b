"use strict";
const session = document.getElementById("session");
const state = document.getElementById("state");
const nests = new Set(["DIV", "MAIN", "SECTION"]);
let isTaking = false, isMore = false, isOver = false, soon;

// What is the same stays, so that what is open or selected in it does, too.
function grow(old, fresh) {
    if (old.isEqualNode(fresh)) return;
    if (!nests.has(old.nodeName) || !old.cloneNode(false).isEqualNode(fresh.cloneNode(false))) {
        if (old.nodeName === "DETAILS" && old.id === fresh.id) fresh.open = old.open;
        old.replaceWith(fresh);
        return;
    }
    const before = [...old.childNodes], now = [...fresh.childNodes];
    now.forEach((node, at) => (at < before.length ? grow(before[at], node) : old.append(node)));
    before.slice(now.length).forEach(node => node.remove());
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
        if (!isOver) state.textContent = "The session cannot be reached.";
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
events.onerror = () => end("The session has ended.");
