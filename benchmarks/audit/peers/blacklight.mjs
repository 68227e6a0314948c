// One inspection by Blacklight's collector, with its own settings but for the number of pages:
//   node blacklight.mjs ADDRESS CHROMIUM PAGES FOLDER FOLDER_WITH_MODULES
// It visits the page and some of the pages that this one links to. Prints one JSON object.
import { createRequire } from "node:module";

const [address, chromium, pages, outDir, modules] = process.argv.slice(2);
const { collect } = createRequire(`${modules}/`)("@themarkup/blacklight-collector");
const say = console.log;
console.log = () => {};
const begun = performance.now();
const told = await collect(address, {
  outDir,
  numPages: Number(pages) - 1,
  puppeteerExecutablePath: chromium,
  extraChromiumArgs: ["--no-sandbox"],
});
const seconds = (performance.now() - begun) / 1000;
say(JSON.stringify({ seconds, status: told.status, pages: told.browsing_history?.length ?? 0 }));
process.exit(0); // its logger keeps a file open
