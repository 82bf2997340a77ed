// An alert: its sentence, why it was raised, who did it to whom, flows that show it, and how to silence just it.
import { Icon } from "../parts/icons.tsx";
import { count, share, unknown } from "../format/numbers.ts";
import { plain, socket, word } from "../format/names.ts";
import { moment } from "../format/times.ts";
import { copy } from "../state/commands.ts";
import { go, linkTo, zone } from "../state/place.ts";
import { End, Fact, SeverityMark, Wire } from "../parts/small.tsx";
import { Notice } from "../parts/states.tsx";
import { type Alert, AlertLifecycle, type AlertMeasure, type AlertParty, type AlertSample } from "../wire/gen/netscope/v1/alert_pb.ts";
import { enumName, known, millis, number } from "../wire/wire.ts";

export const lifecycleWord = (alert: Alert): string => word(enumName(AlertLifecycle, alert.lifecycle), "ALERT_LIFECYCLE_");

/** "10.0.0.7 and 12 more". */
export function partiesText(parties: readonly AlertParty[], total: bigint): string {
  const first = parties[0];
  if (first === undefined) return total === 0n ? unknown : `${count(number(total))} of them`;
  const text = socket(first.ip, known(first.portValue) ?? 0);
  const more = Math.max(number(total), parties.length) - 1;
  return more > 0 ? `${text} and ${count(more)} more` : text;
}

const figure = (value: number): string => (Number.isInteger(value) || value >= 100 ? count(value) : String(Number(value.toPrecision(3))));
const prefix = "analysis.anomalies.";

function Measure({ measure }: { measure: AlertMeasure }) {
  const part = measure.threshold > 0 ? Math.min(1, measure.threshold / Math.max(measure.observed, measure.threshold)) : 0;
  const setting = known(measure.settingValue);
  return (
    <tr>
      <td><Wire text={measure.what} /></td>
      <td class="numeric"><b>{figure(measure.observed)}</b></td>
      <td class="numeric">{figure(measure.threshold)}</td>
      <td><span class="gauge" aria-hidden="true"><span style={{ insetInlineStart: `${part * 100}%` }} /></span></td>
      <td class="mono small">{setting === undefined ? <span class="muted">fixed</span> : <a href={linkTo({ view: "health", id: setting })} title={setting}>{setting.startsWith(prefix) ? setting.slice(prefix.length) : setting}</a>}</td>
    </tr>
  );
}

/** One of each group had to hold. */
function Why({ alert }: { alert: Alert }) {
  const groups = [...new Set(alert.measures.map((measure) => measure.group))];
  return (
    <section aria-label="Why it was raised">
      <h3>Why it was raised</h3>
      <table class="plain-table">
        <thead><tr><th scope="col">Measure</th><th scope="col" class="numeric">Observed</th><th scope="col" class="numeric">Threshold</th><th /><th scope="col">Setting</th></tr></thead>
        <tbody>
          {groups.flatMap((group, at) => [
            at > 0 ? <tr key={`and${group}`} class="and"><td colSpan={5}>and</td></tr> : null,
            ...alert.measures.filter((measure) => measure.group === group).map((measure) => <Measure key={`${group}/${measure.what}`} measure={measure} />),
          ])}
        </tbody>
      </table>
      {groups.some((group) => alert.measures.filter((measure) => measure.group === group).length > 1) && <p class="muted">Of measures without “and” between them, one had to hold.</p>}
    </section>
  );
}

function Parties({ name, parties, total }: { name: string; parties: readonly AlertParty[]; total: bigint }) {
  if (parties.length === 0) return null;
  const more = number(total) - parties.length;
  return (
    <section aria-label={name}>
      <h3>{name} <span class="muted">{count(Math.max(number(total), parties.length))}</span></h3>
      <ul class="parties">
        {parties.map((party) => {
          const port = known(party.portValue);
          const title = known(party.nameValue);
          const packets = known(party.packetsValue);
          return (
            <li key={`${party.ip}:${port ?? ""}`}>
              <a class="mono" href={linkTo({ view: "flows", filter: `ip:${party.ip}` })}>{socket(party.ip, port ?? 0)}</a>
              {title !== undefined && <> <Wire text={title} /></>}
              {packets !== undefined && <span class="muted"> {count(number(packets))} packets</span>}
            </li>
          );
        })}
        {more > 0 && <li class="muted">and {count(more)} more</li>}
      </ul>
    </section>
  );
}

function Samples({ samples }: { samples: readonly AlertSample[] }) {
  if (samples.length === 0) return null;
  return (
    <section aria-label="Sample flows">
      <h3>Sample flows</h3>
      <table class="plain-table pairs">
        <tbody>
          {samples.map((sample, at) => {
            const community = known(sample.communityIdValue);
            return (
              <tr key={community ?? at}>
                <td>{sample.protocol}</td>
                <td><End end={sample.client} /> <span class="muted">→</span> <End end={sample.server} /></td>
                <td>{community !== undefined && <><a href={linkTo({ view: "flows", filter: `community-id:${community}` })}>flow</a> · <a href={linkTo({ view: "packets", filter: `community-id:${community}` })}>packets</a></>}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

function Silence({ entry }: { entry: string }) {
  return (
    <section aria-label="Silence just this">
      <h3>Silence just this</h3>
      <p>If this is meant to be, add this entry to <code>analysis.anomalies.allow</code>; other sources stay watched.</p>
      <p class="copyable"><code>{plain(entry)}</code> <button type="button" onClick={() => void copy(entry, "the entry")}>Copy</button></p>
    </section>
  );
}

export function AlertDetail({ alert }: { alert: Alert }) {
  const entry = known(alert.silencedByValue);
  const window = known(alert.windowSecsValue);
  return (
    <article class="detail" aria-label="Alert">
      <header>
        <h2><SeverityMark severity={alert.severity} /> {plain(alert.kind).replaceAll("_", " ")}</h2>
        <span class={alert.lifecycle === AlertLifecycle.ENDED ? "muted" : "warning"}>{lifecycleWord(alert)}</span>
        <button type="button" aria-label="Close (Esc)" title="Close (Esc)" onClick={() => go({ id: "" })}><Icon name="close" /></button>
      </header>
      <p class="lead">{plain(alert.description)}</p>
      {alert.withheld.length > 0 && <Notice kind="info">Not told to this account: {alert.withheld.map(plain).join(", ")}.</Notice>}
      <Why alert={alert} />
      <dl class="facts">
        <Fact name="First seen">{moment(millis(alert.firstSeen), zone.value)}</Fact>
        <Fact name="Last seen">{moment(millis(alert.lastSeen), zone.value)}</Fact>
        <Fact name="Window">{window === undefined ? "until the source was silent for 15 minutes" : `${window} s`}</Fact>
        <Fact name="Told">{alert.revision === 1 ? "once" : `${count(alert.revision)} times`}{alert.suppressedCount > 0n && <span class="muted">, found {count(number(alert.suppressedCount))} {alert.suppressedCount === 1n ? "time" : "times"} more since</span>}</Fact>
        <Fact name="Confidence">{share(alert.confidence)} <span class="muted">{alert.lossRatio > 0 ? `${share(alert.lossRatio)} of the packets were lost` : "no packet was lost"}</span></Fact>
        {alert.techniqueValue.case === "technique" && <Fact name="Technique">MITRE ATT&amp;CK {plain(alert.techniqueValue.value)}</Fact>}
        {alert.interfaceValue.case === "interface" && <Fact name="Interface"><Wire text={alert.interfaceValue.value} /> <span class="muted">on <Wire text={alert.node} /></span></Fact>}
        <Fact name="Id"><button type="button" class="plain mono" onClick={() => void copy(alert.id, "the id")}>{alert.id}</button></Fact>
      </dl>
      <Parties name="Sources" parties={alert.sources} total={alert.sourcesTotal} />
      <Parties name="Targets" parties={alert.targets} total={alert.targetsTotal} />
      <Samples samples={alert.sampleFlows} />
      {entry !== undefined && <Silence entry={entry} />}
    </article>
  );
}
