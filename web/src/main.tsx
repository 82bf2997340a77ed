// The page: bar, strip, the view that the address names.
import { type ComponentType, render } from "preact";
import { Announcer } from "./parts/announcer.tsx";
import { Bar } from "./parts/bar.tsx";
import { Help } from "./parts/help.tsx";
import { PerfBox } from "./parts/perf_box.tsx";
import { Refused } from "./parts/sign_in.tsx";
import { Strip } from "./parts/strip.tsx";
import { watchAlerts } from "./state/alerts.ts";
import { followKeys } from "./state/commands.ts";
import { followAddress, view } from "./state/place.ts";
import { link, stale, watchSensor } from "./state/sensor.ts";
import type { View } from "./state/url.ts";
import { Alerts } from "./views/alerts.tsx";
import { Flows } from "./views/flows.tsx";
import { Health } from "./views/health.tsx";
import { Overview } from "./views/overview.tsx";
import { Packets } from "./views/packets.tsx";

const shown: Record<View, ComponentType> = { overview: Overview, flows: Flows, packets: Packets, alerts: Alerts, health: Health };

function Page() {
  const Shown = shown[view.value];
  const state = link.value;
  return (
    <div class={`page ${stale.value ? "stale" : ""}`}>
      <Bar />
      <Strip />
      {state.state === "refused" ? <Refused refusal={state.refusal} /> : <Shown />}
      <Announcer />
      <PerfBox />
      <Help />
    </div>
  );
}

followAddress();
followKeys();
void watchSensor();
void watchAlerts();
const root = document.querySelector("#page");
if (root !== null) {
  root.textContent = "";
  render(<Page />, root);
}
