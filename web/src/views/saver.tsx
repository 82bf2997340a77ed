// Saves the packets that are listed, with the bytes that the sensor keeps of them.
import { useState } from "preact/hooks";
import { count } from "../format/numbers.ts";
import { said } from "../state/commands.ts";
import { sampleFile } from "../state/pcap_file.ts";
import type { Packet } from "../wire/gen/netscope/v1/packet_pb.ts";
import { asRefusal } from "../wire/refusal.ts";

function download(file: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = "netscope-sample.pcapng";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export function Saver({ filter, rows }: { filter: string; rows: readonly Packet[] }) {
  const [busy, setBusy] = useState(false);
  const save = async (): Promise<void> => {
    setBusy(true);
    try {
      const { file, packets } = await sampleFile(filter, new Set(rows.map((row) => row.id)));
      download(file);
      said.value = packets === rows.length ? `saved ${count(packets)} packets` : `saved ${count(packets)} packets: the sensor does not keep the others any more`;
    } catch (thrown) {
      said.value = `not saved: ${asRefusal(thrown).message}`;
    }
    setBusy(false);
  };
  return <button type="button" disabled={busy} title="The packets of this list as pcapng, as far as their bytes are kept" onClick={() => void save()}>{busy ? "Saving …" : "Save as pcapng"}</button>;
}
