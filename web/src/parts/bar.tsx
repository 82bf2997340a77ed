// The bar: views, filter, and what the whole page can be told.
import { zoneName } from "../format/times.ts";
import { commandOf } from "../state/command.ts";
import { copy, helpOpen, show, viewName } from "../state/commands.ts";
import { nextTheme, theme } from "../state/look.ts";
import { go, linkTo, place, view, zone } from "../state/place.ts";
import { views } from "../state/url.ts";
import { Said } from "./announcer.tsx";
import { FilterBox } from "./filter_box.tsx";
import { Icon } from "./icons.tsx";

export function Bar() {
  const here = view.value;
  const filters = here !== "alerts" && here !== "health";
  return (
    <header class="bar">
      <span class="brand" aria-hidden="true"><Icon name="mark" /> <b>NetScope</b></span>
      <nav aria-label="Views">
        {views.map((one) => (
          <a key={one} href={linkTo({ view: one, filter: one === "alerts" || one === "health" ? "" : place.value.filter })} aria-current={one === here ? "page" : undefined}
            onClick={(event) => { if (!event.ctrlKey && !event.metaKey && !event.shiftKey) { event.preventDefault(); show(one); } }}>
            {viewName(one)}
          </a>
        ))}
      </nav>
      {filters ? <FilterBox /> : <span class="grow" />}
      <div class="tools">
        <Said />
        <button type="button" title="Copy as netscopectl (n)" onClick={() => void copy(commandOf(place.value), "as netscopectl")}><Icon name="copy" /><span class="long" aria-hidden="true"> netscopectl</span><span class="spoken">Copy as netscopectl</span></button>
        <button type="button" title="Times in UTC or local (z)" onClick={() => go({ zone: zone.value === "utc" ? "local" : "utc" })}>{zoneName(zone.value)}</button>
        <button type="button" title={`Theme: ${theme.value} (t)`} aria-label={`Theme: ${theme.value}`} onClick={nextTheme}><Icon name={theme.value} /></button>
        <button type="button" title="Keys and help (?)" aria-label="Keys and help" onClick={() => (helpOpen.value = true)}>?</button>
      </div>
    </header>
  );
}
