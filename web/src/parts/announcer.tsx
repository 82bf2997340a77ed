// What is said to a screen reader: a sentence in five seconds at most about link and alerts. Ticking numbers never are.
import { effect, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Severity } from "../wire/gen/netscope/v1/alert_pb.ts";
import { plain } from "../format/names.ts";
import { fresh } from "../state/alerts.ts";
import { said } from "../state/commands.ts";
import { missing } from "../state/events.ts";
import { link } from "../state/sensor.ts";

const pause_ms = 5000;
const sentence = signal("");
const urgent = signal("");

const words = { connecting: "", live: "connected to the sensor", disconnected: "disconnected from the sensor: the figures are old", refused: "the sensor refuses", ended: "the run is over: the figures are final" };

function follow(): () => void {
  let waiting: string[] = [];
  let told_at = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tell = (): void => {
    timer = undefined;
    told_at = Date.now();
    sentence.value = waiting.join(". ");
    waiting = [];
  };
  const say = (text: string): void => {
    if (text === "") return;
    waiting.push(text);
    if (timer === undefined) timer = setTimeout(tell, Math.max(0, told_at + pause_ms - Date.now()));
  };
  const stops = [
    effect(() => say(words[link.value.state])),
    effect(() => say(said.value)),
    effect(() => say(missing.value)),
    effect(() => {
      const came = fresh.value;
      if (came.length === 0) return;
      fresh.value = [];
      say(`${came.length} new alerts`);
      const worst = came.find((alert) => alert.severity === Severity.CRITICAL);
      if (worst !== undefined) urgent.value = `Critical: ${plain(worst.description)}`;
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

export function Announcer() {
  useEffect(follow, []);
  return (
    <>
      <div role="status" class="spoken">{sentence.value}</div>
      <div role="alert" class="spoken">{urgent.value}</div>
    </>
  );
}

/** What was just done, for those who see. */
export function Said() {
  const text = said.value;
  useEffect(() => {
    const timer = setTimeout(() => (said.value = ""), 2500);
    return () => clearTimeout(timer);
  }, [text]);
  return text === "" ? null : <span class="said" aria-hidden="true">{text}</span>;
}
