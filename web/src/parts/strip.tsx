// The strip below the bar: how the link is, and the figures that are always in sight.
import { useState } from "preact/hooks";
import { bitRate, count, packetRate, share, unknown } from "../format/numbers.ts";
import { age } from "../format/times.ts";
import { active, loaded, worst } from "../state/alerts.ts";
import { degraded, fileRead, link, lossRatio, now, retry, silence_ms, stale, status, tick } from "../state/sensor.ts";
import { linkTo } from "../state/place.ts";
import { number } from "../wire/wire.ts";
import { severityWord } from "./small.tsx";

const linkWords = { connecting: "connecting", live: "live", disconnected: "disconnected", refused: "refused", ended: "run over" };

function LinkState() {
  const state = link.value;
  const silence = silence_ms.value;
  const wait = state.state === "disconnected" ? Math.max(0, Math.ceil((state.next_try_ms - now.value) / 1000)) : 0;
  return (
    <span class={`link ${state.state}`} title={"refusal" in state ? state.refusal.message : undefined}>
      <span class="dot" aria-hidden="true" />
      <strong>{state.state === "live" && fileRead.value ? "file read" : linkWords[state.state]}</strong>
      {silence !== undefined && state.state !== "ended" && <span class="muted"> {state.state === "live" && silence < 2500 ? "" : `${age(silence)} old`}</span>}
      {state.state === "disconnected" && (
        <button type="button" class="plain" onClick={retry}>{wait > 0 ? `next try in ${wait} s` : "trying"} · now</button>
      )}
      {state.state === "refused" && <button type="button" class="plain" onClick={retry}>try again</button>}
    </span>
  );
}

/** Where packets were lost: the ledger's buckets. */
function Losses() {
  const lost = status.answer.value.value?.ledger?.lost ?? [];
  if (lost.length === 0) return <p>No packet was lost.</p>;
  return (
    <table>
      <tbody>
        {lost.map((bucket) => (
          <tr key={`${bucket.stage}/${bucket.reason}/${bucket.interfaceValue.value ?? ""}`}>
            <td>{bucket.interfaceValue.value ?? ""}</td><td>{bucket.stage}</td><td>{bucket.reason}</td>
            <td class="numeric">{count(number(bucket.packets))}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Lost() {
  const [open, setOpen] = useState(false);
  const counters = tick.value?.counters;
  const lost = counters?.lost;
  return (
    <span class="lost-box" onMouseEnter={() => setOpen(true)} onMouseLeave={() => setOpen(false)}>
      <a href={linkTo({ view: "health" })} class={lost !== undefined && lost > 0 ? "loss" : ""} aria-describedby="losses"
        onFocus={() => setOpen(true)} onBlur={() => setOpen(false)}>
        <span class="key">lost</span> {count(lost)} {lost !== undefined && lost > 0 && <span class="muted">{share(lossRatio.value)}</span>}
      </a>
      <div id="losses" class="popup" hidden={!open}><Losses /></div>
    </span>
  );
}

export function Strip() {
  const latest = tick.value;
  const alertCount = active.value.length;
  return (
    <div class={`strip ${stale.value ? "stale" : ""}`} role="group" aria-label="Sensor">
      <LinkState />
      <span class="figure wide"><span class="key">rate</span> {bitRate(latest?.bits)}</span>
      <span class="figure"><span class="key">packets</span> {packetRate(latest?.packets)}</span>
      <span class="figure"><span class="key">flows</span> {count(latest?.counters?.flows)}</span>
      <Lost />
      <a class={`figure ${alertCount > 0 ? `severity ${severityWord(worst.value)}` : ""}`} href={linkTo({ view: "alerts" })}>
        <span class="key">alerts</span> {loaded.value ? `${count(alertCount)} active` : unknown}
      </a>
      {degraded.value > 0 && <a class="figure warning" href={linkTo({ view: "health" })}>▲ {degraded.value} detectors degraded</a>}
      <span class="grow" />
      <span class="figure muted node">{latest?.node ?? unknown}</span>
    </div>
  );
}
