// Bytes of a packet in hexadecimal, with those of the selected field marked.

const row_bytes = 16;

export interface Marked {
  offset: number;
  length: number;
}

export interface HexCell {
  hex: string;
  text: string; // "." for what is no printable ASCII
  marked: boolean;
}

export interface HexRow {
  offset: string;
  cells: HexCell[];
}

export function hexRows(bytes: Uint8Array, mark: Marked | undefined): HexRow[] {
  const rows: HexRow[] = [];
  for (let start = 0; start < bytes.length; start += row_bytes) {
    const cells = Array.from(bytes.subarray(start, start + row_bytes), (byte, index): HexCell => ({
      hex: byte.toString(16).padStart(2, "0"),
      text: byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".",
      marked: mark !== undefined && start + index >= mark.offset && start + index < mark.offset + mark.length,
    }));
    rows.push({ offset: start.toString(16).padStart(4, "0"), cells });
  }
  return rows;
}

/** All bytes as a text, for the clipboard. */
export const hexText = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export function Hex({ bytes, mark, pick }: { bytes: Uint8Array; mark: Marked | undefined; pick: (offset: number) => void }) {
  return (
    <div class="hex mono" tabIndex={0} role="group" aria-label={`${bytes.length} bytes${mark === undefined ? "" : `, marked: ${mark.length} from ${mark.offset}`}`}>
      {hexRows(bytes, mark).map((row, line) => (
        <div key={row.offset} class="hex-row">
          <span class="muted offset">{row.offset}</span>
          <span class="octets">
            {row.cells.map((cell, index) => (
              <span key={index} class={cell.marked ? "marked" : ""} onClick={() => pick(line * row_bytes + index)}>{cell.hex}</span>
            ))}
          </span>
          <span class="characters">{row.cells.map((cell, index) => <span key={index} class={cell.marked ? "marked" : ""}>{cell.text}</span>)}</span>
        </div>
      ))}
    </div>
  );
}
