// Looks on in Chromium while a session goes on: watch.mjs TOOLS URL HTML [SCREENSHOT]
// Says `opened` when the page is there and `unfolded` when an exchange was opened, and at the end one line of JSON.
import {createRequire} from "node:module";
import {writeFileSync} from "node:fs";

const [, , tools, url, html, picture] = process.argv;
const {chromium} = createRequire(tools + "/")("playwright-core");
const browser = await chromium.launch({executablePath: "/usr/bin/chromium", args: ["--no-sandbox"]});
const page = await browser.newPage({viewport: {width: 1000, height: 1100}});
const told = {dialogs: 0, elsewhere: [], console: []};
page.on("dialog", dialog => { told.dialogs++; dialog.dismiss(); });
page.on("request", request => { if (!request.url().startsWith(url)) told.elsewhere.push(request.url()); });
page.on("console", message => told.console.push(message.text()));
page.on("pageerror", error => told.console.push(String(error)));
await page.goto(url);
told.first = await page.locator("#session").innerText();
// Each number of exchanges that was ever shown.
await page.evaluate(() => {
    const count = () => document.querySelectorAll("details.exchange").length;
    window.counts = [count()];
    new MutationObserver(() => { if (window.counts.at(-1) !== count()) window.counts.push(count()); }).observe(document.body, {childList: true, subtree: true});
});
console.log("opened");
const ended = page.waitForSelector("#state.ended", {timeout: 60_000});
const unfolded = page.waitForSelector("details.exchange:not([open])", {timeout: 60_000}).then(async () => {
    await page.locator("details.exchange:not([open]) summary").first().click();
    told.unfolded = await page.locator("details.exchange[open]").first().getAttribute("id");
    console.log("unfolded");
});
await Promise.race([ended, unfolded]);
await ended;
told.counts = await page.evaluate(() => window.counts);
told.open = await page.locator("details.exchange[open]").evaluateAll(all => all.map(one => one.id));
told.state = await page.locator("#state").innerText();
told.title = await page.title();
told.findings = await page.locator("section[aria-labelledby=findings]").innerText();
told.beside = await page.locator("section[aria-labelledby=told]").allInnerTexts();
told.tags = await page.evaluate(() => [...new Set([...document.querySelectorAll("*")].map(e => e.tagName))]);
told.attributes = await page.evaluate(() => [...new Set([...document.querySelectorAll("*")].flatMap(e => e.getAttributeNames()))]);
writeFileSync(html, await page.content());
if (picture) await page.screenshot({path: picture});
console.log(JSON.stringify(told));
await browser.close();
