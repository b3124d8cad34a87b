import { get } from "node:https";

const [library, url] = process.argv.slice(2);
if (library === "fetch") {
  await (await fetch(url)).text();
} else {
  await new Promise((done, failed) => get(url, (answer) => answer.resume().on("end", done)).on("error", failed));
}
