// Small pieces that all views use.
import type { ComponentChildren } from "preact";
import { plain, socket } from "../format/names.ts";
import type { Endpoint } from "../wire/gen/netscope/v1/flow_pb.ts";
import { Severity } from "../wire/gen/netscope/v1/alert_pb.ts";
import { known } from "../wire/wire.ts";

/** Text from the wire: never markup, never turning its surroundings around. */
export const Wire = ({ text }: { text: string }) => <bdi>{plain(text)}</bdi>;

/** An end of a flow: its address, and its name when it has one. */
export function End({ end }: { end: Endpoint | undefined }) {
  if (end === undefined) return <>–</>;
  const name = known(end.nameValue);
  const address = socket(end.ip, end.port);
  return name === undefined ? (
    <span class="mono">{address}</span>
  ) : (
    <span title={address}>
      <Wire text={name} />
      {end.port !== 0 && <span class="mono muted">:{end.port}</span>}
    </span>
  );
}

const severityWords: Record<number, [string, string]> = {
  [Severity.LOW]: ["low", "○"],
  [Severity.MEDIUM]: ["medium", "◐"],
  [Severity.HIGH]: ["high", "▲"],
  [Severity.CRITICAL]: ["critical", "◆"],
};

export const severityWord = (severity: Severity): string => severityWords[severity]?.[0] ?? "unknown";

/** Shape, word and colour: colour alone says nothing to many. */
export function SeverityMark({ severity }: { severity: Severity }) {
  const [word, shape] = severityWords[severity] ?? ["unknown", "·"];
  return <span class={`severity ${word}`}><span aria-hidden="true">{shape}</span> {word}</span>;
}

export function Fact({ name, children, title }: { name: string; children: ComponentChildren; title?: string }) {
  return (
    <>
      <dt title={title}>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

interface Choice<T extends string> {
  value: T;
  label: string;
}

/** One of a few, as a row of buttons. */
export function Choices<T extends string>({ label, all, value, choose }: { label: string; all: readonly Choice<T>[]; value: T; choose: (value: T) => void }) {
  return (
    <div class="choices" role="group" aria-label={label}>
      {all.map((one) => (
        <button type="button" key={one.value} aria-pressed={one.value === value} onClick={() => choose(one.value)}>{one.label}</button>
      ))}
    </div>
  );
}

export function Bar({ part, series }: { part: number; series: number }) {
  return (
    <span class="part" aria-hidden="true">
      <span class={`series${series}`} style={{ width: `${Math.max(0.5, part * 100)}%` }} />
    </span>
  );
}
