// What the JavaScript clients share: where packages are, the user with a browser, and how an end is told.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI } = process.env;
export const [, , flow, variant] = process.argv;
export const isWrong = variant === "wrong";

const here = createRequire(join(process.env.TOOLS, "package.json"));
export const load = (name) => import(pathToFileURL(here.resolve(name)));
export const require = here;

export class Refused extends Error {}

// The URL that the browser was sent back to.
export function browse(url) {
  const agent = join(dirname(fileURLToPath(import.meta.url)), "agent.py");
  const done = spawnSync("python3", [agent, url, REDIRECT_URI], { encoding: "utf8" });
  const end = done.stdout.trim();
  if (done.status !== 0) throw new Error(done.stderr);
  if (end.startsWith("page: ")) throw new Refused(end);
  return end;
}

// Runs the flow; `errorOf` says what a server's refusal says, and of nothing else.
export async function play(flows, errorOf) {
  try {
    await flows[flow]();
    console.log("done");
  } catch (error) {
    const refusal = error instanceof Refused ? error.message : errorOf(error);
    if (!refusal) throw error;
    console.log(`refused: ${refusal}`);
  }
}

// The server's keys as a client has them that asked two minutes ago, where it is to be one.
export async function oldKeys(url) {
  if (!process.env.OLD_KEYS) return undefined;
  return { jwks: await (await fetch(url)).json(), uat: Math.floor(Date.now() / 1000) - 120 };
}
