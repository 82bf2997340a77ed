// Packets: the sample as it grows, and below it the one that is looked at.
import { useEffect, useMemo, useState } from "preact/hooks";
import { count } from "../format/numbers.ts";
import { clockMillis } from "../format/times.ts";
import { addCommands, copy } from "../state/commands.ts";
import { PacketSample } from "../state/packets.ts";
import { go, place, zone } from "../state/place.ts";
import { caller } from "../state/sensor.ts";
import { Wire } from "../parts/small.tsx";
import { Empty, Loading, Notice, Problem } from "../parts/states.tsx";
import { type Column, Table } from "../parts/table.tsx";
import type { Packet } from "../wire/gen/netscope/v1/packet_pb.ts";
import type { Refusal } from "../wire/refusal.ts";
import { millis } from "../wire/wire.ts";
import { Inspector } from "./inspector.tsx";
import { Saver } from "./saver.tsx";
import { Recorder } from "./recorder.tsx";

/** The summary without what has columns of its own. */
function essence(packet: Packet): string {
  const at = packet.summary.indexOf(` ${packet.interface} `);
  return packet.summary.startsWith(`${packet.id} `) && at > 0 ? packet.summary.slice(at + packet.interface.length + 2) : packet.summary;
}

const columns: readonly Column<Packet>[] = [
  { key: "id", title: "No.", width: "5.5rem", numeric: true, narrow: true, cell: (packet) => String(packet.id) },
  { key: "time", title: "Time", width: "7rem", narrow: true, cell: (packet) => <span class="mono">{clockMillis(millis(packet.time), zone.value)}</span> },
  { key: "interface", title: "Interface", width: "8rem", least: 1100, cell: (packet) => <Wire text={packet.interface} /> },
  { key: "length", title: "Bytes", width: "4rem", numeric: true, least: 620, cell: (packet) => count(packet.length) },
  { key: "summary", title: "Summary", width: "", narrow: true, cell: (packet) => <span class="mono"><Wire text={essence(packet)} /></span> },
];

/** Why this account sees no packets, and what would let it. */
function NoPackets({ refusal, retry }: { refusal: Refusal; retry: () => void }) {
  const who = caller.value;
  return (
    <Problem refusal={refusal} retry={retry}>
      {refusal.code === "permission_denied" && (
        <p class="muted">
          Packets hold what people wrote. {who !== undefined && <>You are here as <b><Wire text={who.identity || "anonymous"} /></b>. </>}
          Ask for a token with the role <code>packets</code> and without limits; flows, alerts and health need none of it.
        </p>
      )}
    </Problem>
  );
}

export function Packets() {
  const { filter, id } = place.value;
  const sample = useMemo(() => new PacketSample(filter), [filter]);
  useEffect(() => sample.stop, [sample]);
  const [held, hold] = useState<{ of: PacketSample; rows: readonly Packet[] } | undefined>(undefined);
  const paused = held?.of === sample ? held.rows : undefined; // another filter is another list
  const rows = paused ?? sample.rows.value;
  const link = sample.position.link.value;
  useEffect(() => addCommands([
    { name: "Copy the summary", keys: ["c"], run: () => void copy(sample.rows.peek().find((one) => String(one.id) === place.peek().id)?.summary ?? "", "the summary") },
    { name: "Close the packet", keys: ["Escape"], run: () => go({ id: "" }) },
  ]), [sample]);
  return (
    <main class={`packets ${id === "" ? "" : "beside"}`}>
      <h1 class="spoken">Packets</h1>
      <section class="panel list" aria-label="Packets">
        <div class="panel-head">
          <h2>Packets</h2>
          {link.state !== "refused" && <button type="button" aria-pressed={paused !== undefined} onClick={() => hold(paused === undefined ? { of: sample, rows: sample.rows.peek() } : undefined)}>{paused === undefined ? "Pause" : "Go on"}</button>}
          <span class="muted">{link.state === "refused" ? "" : `${count(rows.length)} of the sample`}{paused !== undefined ? ", paused" : link.state === "live" ? "" : link.state === "ended" ? ", the run is over" : `, ${link.state}`}</span>
          <span class="grow" />
          {link.state !== "refused" && rows.length > 0 && <Saver filter={filter} rows={rows} />}
          {link.state !== "refused" && <Recorder />}
        </div>
        {sample.position.gaps.value.slice(-1).map((gap) => <Notice key={gap} kind="loss">{gap}</Notice>)}
        {link.state === "refused" ? <NoPackets refusal={link.refusal} retry={sample.retry} /> : (
          <Table<Packet> label="Packets" rows={rows} idOf={(packet) => String(packet.id)} columns={columns} selected={id} select={(next) => go({ id: next })} question={filter} holds
            empty={link.state === "connecting" ? <Loading what="packets" /> : <Empty title={filter === "" ? "No packet in the sample yet." : "No packet of the sample fits."}>{filter === "" ? "It grows while somebody watches." : "None that fits the filter, which x clears."}</Empty>} />
        )}
      </section>
      {id !== "" && link.state !== "refused" && <Inspector id={id} />}
    </main>
  );
}
