// Health: whether the sums close, what was lost where, interfaces, detectors, settings.
import { useEffect, useState } from "preact/hooks";
import { bytes, count, share, unknown } from "../format/numbers.ts";
import { plain, word } from "../format/names.ts";
import { moment } from "../format/times.ts";
import { interfaces, settings, watchHealth } from "../state/health.ts";
import { place, zone } from "../state/place.ts";
import { status, tick } from "../state/sensor.ts";
import { Outputs, Shards } from "./inner.tsx";
import { Fact, Wire } from "../parts/small.tsx";
import { Empty, Loading, Problem } from "../parts/states.tsx";
import type { Report_Ledger } from "../wire/gen/netscope/v1/report_pb.ts";
import { Role, SensorState, type Setting, SettingSource } from "../wire/gen/netscope/v1/sensor_pb.ts";
import { enumName, inputValue, known, millis, number } from "../wire/wire.ts";

function Ledger({ ledger }: { ledger: Report_Ledger }) {
  const received = number(ledger.received);
  const row = (name: string, packets: bigint, kind = "", note = "") => (
    <tr key={`${name}/${note}`} class={kind}>
      <td>{name} {note !== "" && <span class="muted">{note}</span>}</td>
      <td class="numeric">{count(number(packets))}</td>
      <td class="numeric muted">{received === 0 ? unknown : share(number(packets) / received)}</td>
    </tr>
  );
  const lost = ledger.lost.reduce((sum, bucket) => sum + bucket.packets, 0n);
  return (
    <table class="plain-table ledger">
      <thead><tr><th scope="col">Packets</th><th scope="col" class="numeric">Count</th><th scope="col" class="numeric">Share</th></tr></thead>
      <tbody>
        {row("Analysed", ledger.analysed)}
        {row("Seen twice", ledger.duplicate, "", "counted at another interface")}
        {ledger.lost.map((bucket) => row("Lost", bucket.packets, bucket.packets > 0n ? "loss" : "", `${bucket.stage} · ${bucket.reason}${bucket.interfaceValue.case === "interface" ? ` · ${plain(bucket.interfaceValue.value)}` : ""}`))}
        {lost === 0n && row("Lost", 0n)}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">Received {ledger.balanced ? <span class="ok">✓ the sum closes</span> : <span class="loss">▲ the sum does not close</span>}</th>
          <td class="numeric">{count(received)}</td><td />
        </tr>
      </tfoot>
    </table>
  );
}

function Sensor() {
  const { value, refusal } = status.answer.value;
  if (value === undefined) return refusal === undefined ? <Loading what="the status" /> : <Problem refusal={refusal} retry={() => void status.now()} />;
  return (
    <dl class="facts">
      <Fact name="Node"><Wire text={value.node} /></Fact>
      <Fact name="Version">{plain(value.version)}</Fact>
      <Fact name="State">{word(enumName(SensorState, value.state), "SENSOR_STATE_") || unknown} · {value.live ? "live interfaces" : "files"}</Fact>
      <Fact name="Started">{moment(millis(value.startTime), zone.value)}</Fact>
      <Fact name="As of">{moment(millis(value.asOf), zone.value)}</Fact>
      <Fact name="You are">{plain(value.caller?.identity ?? "") || "anonymous"} · {word(enumName(Role, value.caller?.role ?? 0), "ROLE_")}{(value.caller?.limits.length ?? 0) > 0 && ` · only ${value.caller?.limits.join(", ")}`}</Fact>
      <Fact name="Decode errors">{count(tick.value?.counters?.errors)}</Fact>
    </dl>
  );
}

function Interfaces() {
  const { value, refusal } = interfaces.answer.value;
  if (value === undefined) return refusal === undefined ? <Loading what="interfaces" /> : <Problem refusal={refusal} retry={() => void interfaces.now()} />;
  if (value.interfaces.length === 0) return <Empty title="Nothing is captured on." />;
  return (
    <table class="plain-table">
      <thead><tr><th scope="col">Name</th><th scope="col">State</th><th scope="col" class="numeric">Packets</th><th scope="col" class="numeric">Bytes</th><th scope="col" class="numeric">Lost</th><th scope="col" class="numeric" title="dropped by the card, before the ledger begins">NIC</th></tr></thead>
      <tbody>
        {value.interfaces.map((one) => (
          <tr key={`${one.name}/${one.configured}`}>
            <td><Wire text={one.name} /> {one.configured !== one.name && <span class="muted"><Wire text={one.configured} /></span>}</td>
            <td>{one.up ? <span class="ok">● up</span> : <span class="warning">○ down</span>}</td>
            <td class="numeric">{count(number(one.packets))}</td>
            <td class="numeric">{bytes(number(one.bytes))}</td>
            <td class={`numeric ${one.lost > 0n ? "loss" : ""}`}>{count(number(one.lost))}</td>
            <td class={`numeric ${one.nicDropped > 0n ? "loss" : ""}`}>{count(number(one.nicDropped))}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Detectors() {
  const detectors = status.answer.value.value?.detectors ?? [];
  if (detectors.length === 0) return <p class="muted">Not told to this account, or none looks.</p>;
  return (
    <>
      <ul class="detectors">
        {detectors.map((one) => (
          <li key={one.kind}>
            <span class={!one.enabled ? "muted" : one.degraded ? "warning" : "ok"}>{!one.enabled ? "○ off" : one.degraded ? "▲ degraded" : "● looking"}</span> {plain(one.kind).replaceAll("_", " ")}
          </li>
        ))}
      </ul>
      {detectors.some((one) => one.enabled && one.degraded) && <p class="muted">A degraded detector judges by answers, and too few flows show both directions: it is silent rather than wrong.</p>}
    </>
  );
}

const settingFits = (setting: Setting, text: string): boolean => text === "" || `${setting.key} ${setting.values.join(" ")}`.includes(text);

function Settings() {
  const wanted = place.value.id;
  const [text, setText] = useState(wanted);
  const [changed, setChanged] = useState(wanted === "");
  useEffect(() => setText(wanted), [wanted]);
  const { value, refusal } = settings.answer.value;
  if (value === undefined) return refusal === undefined ? <Loading what="settings" /> : <Problem refusal={refusal} retry={() => void settings.now()} />;
  const rows = value.settings.filter((one) => settingFits(one, text) && (!changed || one.source !== SettingSource.DEFAULT || one.pending));
  return (
    <>
      <div class="panel-head">
        <input type="search" aria-label="Search settings" placeholder="key or value" value={text} onInput={(event) => { setText(inputValue(event)); setChanged(false); }} />
        <label><input type="checkbox" checked={changed} onChange={() => setChanged(!changed)} /> only what differs from the default</label>
        <span class="muted">{count(rows.length)} of {count(value.settings.length)}</span>
      </div>
      <div class="settings">
        <table class="plain-table">
          <thead><tr><th scope="col">Key</th><th scope="col">Value</th><th scope="col">Default</th><th scope="col">From</th><th scope="col">Changes</th></tr></thead>
          <tbody>
            {rows.map((one) => (
              <tr key={one.key}>
                <td class="mono">{one.key}</td><td class="mono"><Wire text={one.values.join(", ") || unknown} /></td><td class="mono muted"><Wire text={one.default || unknown} /></td>
                <td>{word(enumName(SettingSource, one.source), "SETTING_SOURCE_")}{one.pending && <span class="warning"> · waits for a restart</span>}</td>
                <td class="muted">{one.live ? "at once" : "at start"}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {rows.length === 0 && <Empty title="No setting fits." />}
      </div>
    </>
  );
}

export function Health() {
  useEffect(watchHealth, []);
  const told = status.answer.value.value;
  return (
    <main class="health">
      <h1 class="spoken">Health</h1>
      <section class="panel ledger-panel" aria-label="Ledger"><h2>Ledger</h2>
        {told?.ledger === undefined ? <p class="muted">{told === undefined ? unknown : "Not told to this account."}</p> : <Ledger ledger={told.ledger} />}
        {told !== undefined && <p class="muted">Loss {share(known(told.lossRatioValue))} of what was received.</p>}
      </section>
      <section class="panel sensor-panel" aria-label="Sensor"><h2>Sensor</h2><Sensor /></section>
      <section class="panel detectors-panel" aria-label="Detectors"><h2>Detectors</h2><Detectors /></section>
      <section class="panel inside-panel" aria-label="Inside"><h2>Inside</h2><Shards /></section>
      <section class="panel outputs-panel" aria-label="Outputs"><h2>Outputs</h2><Outputs /></section>
      <section class="panel interfaces-panel" aria-label="Interfaces"><h2>Interfaces</h2><Interfaces /></section>
      <section class="panel settings-panel" aria-label="Settings"><h2>Settings</h2><Settings /></section>
    </main>
  );
}
