// Screenshots: node tests/web/shots.mjs URL FOLDER [width ...]
import { mkdirSync } from "node:fs";
import { openPage, startBrowser } from "./browser.mjs";

const [url, folder, ...widths] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const browser = await startBrowser();
const heights = { 400: 860, 1280: 800, 2560: 1300 };
for (const width of widths.length ? widths.map(Number) : [400, 1280, 2560])
  for (const scheme of ["dark", "light"]) {
    const page = await openPage(browser, url, { width, height: heights[width] ?? 800, scheme });
    const shot = (name) => page.screenshot({ path: `${folder}/${name}-${width}-${scheme}.png` });
    await page.waitForTimeout(width === 1280 && scheme === "dark" ? 6000 : 2500);
    await shot("overview");
    for (const view of ["flows", "packets", "alerts", "health"]) {
      await page.goto(`${url}#/${view}`);
      await page.waitForTimeout(1200);
      await shot(view);
      if (view === "health") continue;
      const row = page.locator("tbody tr[id]").first();
      if (await row.count()) {
        await row.click();
        await page.waitForTimeout(900);
        await shot(`${view}-detail`);
      }
    }
    if (page.complaints.length) console.log(width, scheme, page.complaints.slice(0, 8));
    await page.context().close();
  }
await browser.close();
