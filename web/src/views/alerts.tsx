// Alerts: those that are kept and what comes; beside them the evidence of one.
import { useEffect } from "preact/hooks";
import { count } from "../format/numbers.ts";
import { clock } from "../format/times.ts";
import { alerts, loaded, position, refusal, watchAlerts } from "../state/alerts.ts";
import { addCommands, copy } from "../state/commands.ts";
import { go, place, zone } from "../state/place.ts";
import { Choices, SeverityMark, Wire } from "../parts/small.tsx";
import { Empty, Loading, Notice, Problem } from "../parts/states.tsx";
import { type Column, Table } from "../parts/table.tsx";
import { type Alert, AlertLifecycle, Severity } from "../wire/gen/netscope/v1/alert_pb.ts";
import { millis } from "../wire/wire.ts";
import { AlertDetail, lifecycleWord, partiesText } from "./alert_detail.tsx";

const columns: readonly Column<Alert>[] = [
  { key: "severity", title: "Severity", width: "5.4rem", narrow: true, cell: (alert) => <SeverityMark severity={alert.severity} /> },
  { key: "kind", title: "Kind", width: "6.6rem", narrow: true, cell: (alert) => <Wire text={alert.kind.replaceAll("_", " ")} /> },
  { key: "source", title: "From", width: "", narrow: true, cell: (alert) => <span class="mono"><Wire text={partiesText(alert.sources, alert.sourcesTotal)} /></span> },
  { key: "target", title: "To", width: "", least: 420, cell: (alert) => <span class="mono"><Wire text={partiesText(alert.targets, alert.targetsTotal)} /></span> },
  { key: "state", title: "State", width: "4.6rem", least: 640, cell: (alert) => lifecycleWord(alert) },
  { key: "ts", title: "Told", width: "5rem", numeric: true, narrow: true, cell: (alert) => clock(millis(alert.ts), zone.value) },
];

const least: Record<string, Severity> = { "": Severity.UNSPECIFIED, medium: Severity.MEDIUM, high: Severity.HIGH, critical: Severity.CRITICAL };

export function Alerts() {
  const { id, severity } = place.value;
  const all = alerts.value;
  const rows = all.filter((alert) => alert.severity >= (least[severity] ?? 0));
  const chosen = all.find((alert) => alert.id === id);
  useEffect(() => addCommands([
    { name: "Copy the alert's sentence", keys: ["c"], run: () => void copy(alerts.peek().find((one) => one.id === place.peek().id)?.description ?? "", "the alert") },
    { name: "Close the alert", keys: ["Escape"], run: () => go({ id: "" }) },
  ]), []);
  const state = position.link.value.state;
  return (
    <main class={`alerts ${id === "" ? "" : "beside"}`}>
      <h1 class="spoken">Alerts</h1>
      <section class="panel list" aria-label="Alerts">
        <div class="panel-head">
          <h2>Alerts</h2>
          <Choices label="Least severity" value={severity} choose={(next) => go({ severity: next })}
            all={[{ value: "", label: "all" }, { value: "medium", label: "medium +" }, { value: "high", label: "high +" }, { value: "critical", label: "critical" }]} />
          <span class="muted">{count(rows.length)} kept{state === "ended" ? " · the run is over" : state === "disconnected" ? " · disconnected" : ""}</span>
        </div>
        {position.gaps.value.slice(-2).map((gap) => <Notice key={gap} kind="loss">{gap}</Notice>)}
        {refusal.value !== undefined && !loaded.value ? <Problem refusal={refusal.value} retry={() => void watchAlerts()} /> : (
          <Table<Alert> label="Alerts" rows={rows} idOf={(alert) => alert.id} columns={columns} selected={id} select={(next) => go({ id: next })} question={severity} holds
            classOf={(alert) => (alert.lifecycle === AlertLifecycle.ENDED ? "over" : "")}
            empty={!loaded.value ? <Loading what="alerts" /> : all.length > 0 ? <Empty title="None is that severe.">{count(all.length)} milder ones are kept.</Empty>
              : <Empty title="No alert was raised.">Whether detectors look, and which are silent because they would judge blindly, is under Health.</Empty>} />
        )}
      </section>
      {id !== "" && (chosen !== undefined ? <AlertDetail alert={chosen} /> : loaded.value && <section class="panel"><Empty title="This alert is not kept any more." /></section>)}
    </main>
  );
}
