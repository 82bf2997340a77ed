// A packet in detail: its layers as a tree, and its bytes with the selected field marked.
import { Icon } from "../parts/icons.tsx";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { count } from "../format/numbers.ts";
import { clockMillis } from "../format/times.ts";
import { Asked } from "../state/asked.ts";
import { copy } from "../state/commands.ts";
import { packetDetail } from "../state/packets.ts";
import { go, zone } from "../state/place.ts";
import { Hex, hexText } from "../parts/hex.tsx";
import { moved } from "../parts/rows.ts";
import { Wire } from "../parts/small.tsx";
import { Empty, Loading, Problem } from "../parts/states.tsx";
import { fieldAt, type TreeRow, treeRows } from "../parts/tree.ts";
import type { GetPacketResponse } from "../wire/gen/netscope/v1/packet_pb.ts";
import { millis } from "../wire/wire.ts";

interface TreeProps {
  rows: readonly TreeRow[];
  selected: string;
  select: (key: string) => void;
  toggle: (key: string, open: boolean) => void;
}

function Tree({ rows, selected, select, toggle }: TreeProps) {
  const at = rows.findIndex((row) => row.key === selected);
  const box = useRef<HTMLUListElement>(null);
  const onKey = (event: KeyboardEvent): void => {
    const row = rows[at];
    const to = moved(event.key, at, rows.length, 10);
    if (to !== undefined) {
      select(rows[to]?.key ?? "");
      box.current?.children[to]?.scrollIntoView({ block: "nearest" });
    } else if (row?.layer && (event.key === "ArrowLeft" || event.key === "ArrowRight")) toggle(row.key, event.key === "ArrowRight");
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <ul class="tree" ref={box} role="tree" aria-label="Layers" tabIndex={0} aria-activedescendant={at < 0 ? undefined : `field-${selected}`} onKeyDown={onKey}>
      {rows.map((row) => (
        <li key={row.key} id={`field-${row.key}`} role="treeitem" aria-level={row.level} aria-selected={row.key === selected} {...(row.layer ? { "aria-expanded": row.open } : {})}
          class={row.layer ? "layer" : "field"} style={{ paddingInlineStart: `${(row.level - 1) * 14 + 4}px` }}
          onClick={() => select(row.key)} onDblClick={() => row.layer && toggle(row.key, !row.open)}>
          {row.layer && <span class="twist" aria-hidden="true" onClick={() => toggle(row.key, !row.open)}>{row.open ? "▾" : "▸"}</span>}
          <span class="name"><Wire text={row.name} /></span>
          {row.value !== "" && <span class="mono value"><Wire text={row.value} /></span>}
        </li>
      ))}
    </ul>
  );
}

function Parts({ told }: { told: GetPacketResponse }) {
  const [selected, select] = useState("");
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => treeRows(told.layers, closed), [told, closed]);
  const row = rows.find((one) => one.key === selected);
  const mark = row === undefined || row.length === 0 ? undefined : { offset: row.offset, length: row.length };
  const toggle = (key: string, open: boolean): void => {
    const next = new Set(closed);
    if (open) next.delete(key);
    else next.add(key);
    setClosed(next);
  };
  return (
    <div class="inspector-parts">
      <Tree rows={rows} selected={selected} select={select} toggle={toggle} />
      <Hex bytes={told.data} mark={mark} pick={(offset) => select(fieldAt(rows, offset)?.key ?? "")} />
    </div>
  );
}

export function Inspector({ id }: { id: string }) {
  const asked = useMemo(() => new Asked<GetPacketResponse>((abort) => packetDetail(BigInt(/^\d+$/u.test(id) ? id : "0"), abort)), [id]);
  useEffect(() => {
    const timer = setTimeout(() => void asked.now(), 60); // held arrow keys ask once
    return () => {
      clearTimeout(timer);
      asked.stop();
    };
  }, [asked]);
  const { value, refusal } = asked.answer.value;
  const packet = value?.packet;
  const data = value?.data;
  return (
    <section class="panel inspector" aria-label="Packet">
      <div class="panel-head">
        <h2>Packet {id}</h2>
        {packet !== undefined && <span class="muted">{clockMillis(millis(packet.time), zone.value)} · {count(packet.length)} bytes on the wire, {count(data?.length)} kept · <Wire text={packet.interface} /></span>}
        <span class="grow" />
        {data !== undefined && <button type="button" onClick={() => void copy(hexText(data), "the bytes")}>Copy bytes</button>}
        <button type="button" aria-label="Close (Esc)" title="Close (Esc)" onClick={() => go({ id: "" })}><Icon name="close" /></button>
      </div>
      {value === undefined && refusal === undefined && <Loading what="the packet" />}
      {refusal !== undefined && (refusal.code === "not_found" ? <Empty title="This packet is not kept any more.">The sensor keeps the latest of its sample (web.packet_buffer).</Empty> : <Problem refusal={refusal} retry={() => void asked.now()} />)}
      {value !== undefined && <Parts key={id} told={value} />}
    </section>
  );
}
