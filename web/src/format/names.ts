// Text from the wire: an attacker writes it. Control and bidi characters become their codes.

const suspicious = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/gu;

/** `text` with what does not show as itself written out: "\u202e". */
export function plain(text: string): string {
  return text.replace(suspicious, (found) => `\\u${(found.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);
}

/** An address with its port, as a URL would have it; port 0 is none. */
export function socket(ip: string, port: number): string {
  if (port === 0) return ip;
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** A word of an enum for people: "TCP_STATE_FIN_WAIT", 9 → "fin wait". */
export function word(name: string | undefined, prefix: string): string {
  if (name === undefined) return "?";
  const rest = name.startsWith(prefix) ? name.slice(prefix.length) : name;
  return rest === "UNSPECIFIED" ? "" : rest.toLowerCase().replaceAll("_", " ");
}

/** Quoted for a POSIX shell, when it has to be. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/u.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Words of flags that a TCP side sent, of their bits. */
export function tcpFlags(bits: number): string {
  const words = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];
  return words.filter((_, bit) => bits & (1 << bit)).join(" ");
}
