// Opens pages in Chromium and says what each did that it must not: one line of JSON for each file.
import {createRequire} from "node:module";
import {readFileSync} from "node:fs";

const {chromium} = createRequire(process.argv[2] + "/")("playwright-core");
const files = JSON.parse(readFileSync(process.argv[3], "utf8"));
const browser = await chromium.launch({executablePath: "/usr/bin/chromium", args: ["--no-sandbox"]});
const context = await browser.newContext({viewport: {width: 400, height: 900}});
for (const file of files) {
    const page = await context.newPage();
    const told = {dialogs: 0, requests: [], console: [], elements: {}, wide: 0, links: []};
    page.on("dialog", dialog => { told.dialogs++; dialog.dismiss(); });
    page.on("request", request => { if (request.url() !== "file://" + file) told.requests.push(request.url()); });
    page.on("console", message => told.console.push(message.text()));
    page.on("pageerror", error => told.console.push(String(error)));
    await page.goto("file://" + file);
    for (const summary of await page.$$("summary")) await summary.click();
    told.elements = await page.evaluate(() => {
        const counts = {};
        // Which findings there are depends on what is said.
        const all = [...document.querySelectorAll("*")].filter(e => !e.closest("section[aria-labelledby=findings]"));
        for (const element of all) counts[element.tagName] = (counts[element.tagName] ?? 0) + 1;
        return counts;
    });
    told.tags = await page.evaluate(() => [...new Set([...document.querySelectorAll("*")].map(e => e.tagName))]);
    told.attributes = await page.evaluate(() => [...new Set([...document.querySelectorAll("*")].flatMap(e => e.getAttributeNames()))]);
    told.wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    told.links = await page.evaluate(() => [...document.querySelectorAll("[href], [src], [action]")].map(e => e.getAttribute("href") ?? "?").filter(href => !href.startsWith("#")));
    console.log(JSON.stringify(told));
    await page.close();
}
await browser.close();
