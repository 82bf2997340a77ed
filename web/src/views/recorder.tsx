// Records packets into a file, from now on: a filter of tcpdump, a bound, a download.
import { useState } from "preact/hooks";
import { bytes, count } from "../format/numbers.ts";
import { plain } from "../format/names.ts";
import { record, recording, stop } from "../state/pcap.ts";
import { inputValue } from "../wire/wire.ts";

export function Recorder() {
  const [filter, setFilter] = useState("");
  const [seconds, setSeconds] = useState("30");
  const now = recording.value;
  return (
    <details class="recorder">
      <summary>Record pcap</summary>
      <form onSubmit={(event) => { event.preventDefault(); record(filter, Number(seconds)); }}>
        <label>BPF <input class="mono" type="text" placeholder="host 10.0.0.7 and port 53" value={filter} onInput={(event) => setFilter(inputValue(event))} /></label>
        <label>for <select value={seconds} onChange={(event) => setSeconds(inputValue(event))}>{["10", "30", "120", "600"].map((one) => <option key={one} value={one}>{one} s</option>)}</select></label>
        {now.state === "running" ? <button key="stop" type="button" onClick={stop}>Stop ({bytes(now.bytes)})</button> : <button key="record" type="submit">Record</button>}
        {now.state === "done" && <a href={now.file} download="netscope.pcapng">Save {bytes(now.bytes)}</a>}
        {now.state === "done" && <span class="muted">{plain(now.reason)}{now.packets > 0 ? `, ${count(now.packets)} packets` : ""}{now.dropped > 0 ? `, ${count(now.dropped)} not read in time` : ""}</span>}
        {now.state === "failed" && <span class="wrong">{plain(now.refusal.message)}</span>}
      </form>
    </details>
  );
}
