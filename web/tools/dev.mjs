// A development server: serves dist/ and speaks the page's transport (Connect unary, streams by WebSocket, tickets) to a running
// sensor's gRPC port. For trying the page only: it checks one token at most, and listens on loopback.
//   node tools/dev.mjs [--grpc 127.0.0.1:9871] [--port 8080] [--base /] [--token TEXT]
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:http2";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const given = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const grpc = given("grpc", "127.0.0.1:9871");
const base = given("base", "/");
const port = Number(given("port", "8080"));
const token = given("token", ""); // asked of every call, as a sensor with a tokens file does; passed on to none

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8" };
const codes = ["ok", "canceled", "unknown", "invalid_argument", "deadline_exceeded", "not_found", "already_exists",
  "permission_denied", "resource_exhausted", "failed_precondition", "aborted", "out_of_range", "unimplemented", "internal",
  "unavailable", "data_loss", "unauthenticated"];
const statuses = { invalid_argument: 400, failed_precondition: 400, out_of_range: 400, unauthenticated: 401, permission_denied: 403,
  not_found: 404, unimplemented: 404, aborted: 409, resource_exhausted: 429, unavailable: 503, deadline_exceeded: 504 };

// The fields of a protobuf message: [number, content] of the length-delimited ones.
function parts(bytes) {
  const found = [];
  for (let at = 0; at < bytes.length;) {
    const varint = () => { let value = 0, shift = 0, byte; do { byte = bytes[at++]; value += (byte & 127) * 2 ** shift; shift += 7; } while (byte & 128); return value; };
    const tag = varint();
    const size = varint();
    if (tag % 8 !== 2) continue;
    found.push([Math.floor(tag / 8), bytes.subarray(at, at + size)]);
    at += size;
  }
  return found;
}

// google.rpc.Status as the details of Connect's error.
function details(header) {
  if (!header) return [];
  return parts(Buffer.from(header, "base64")).filter(([number]) => number === 3).map(([, any]) => {
    const fields = new Map(parts(any));
    return { type: String(fields.get(1) ?? "").replace(/^.*\//, ""), value: (fields.get(2) ?? Buffer.alloc(0)).toString("base64").replace(/=+$/, "") };
  });
}

// A call by gRPC: messages as they come, then null or the error; gives the function that ends it.
function ask(method, body, onMessage, onEnd) {
  const session = connect(`http://${grpc}`);
  let over = false;
  const end = (error) => { if (!over) { over = true; onEnd(error); session.destroy(); } };
  session.on("error", (error) => end({ code: "unavailable", message: `no sensor at ${grpc}: ${error.message}` }));
  const stream = session.request({ ":method": "POST", ":path": `/${method}`, "content-type": "application/grpc+proto", te: "trailers" });
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  let waiting = Buffer.alloc(0);
  const status = (headers) => {
    const code = codes[Number(headers["grpc-status"])] ?? "unknown";
    end(code === "ok" ? null : { code, message: decodeURIComponent(headers["grpc-message"] ?? ""), details: details(headers["grpc-status-details-bin"]) });
  };
  stream.on("response", (headers) => { if (headers["grpc-status"] !== undefined) status(headers); });
  stream.on("trailers", status);
  stream.on("error", (error) => end({ code: "unavailable", message: error.message }));
  stream.on("close", () => end({ code: "unavailable", message: "the sensor cut the stream" }));
  stream.on("data", (chunk) => {
    waiting = Buffer.concat([waiting, chunk]);
    while (waiting.length >= 5 && waiting.length >= 5 + waiting.readUInt32BE(1)) {
      const size = waiting.readUInt32BE(1);
      onMessage(waiting.subarray(5, 5 + size));
      waiting = waiting.subarray(5 + size);
    }
  });
  stream.end(Buffer.concat([head, body]));
  return () => { over = true; session.destroy(); };
}

function unary(method, body, response) {
  let answer = Buffer.alloc(0);
  ask(method, body, (message) => { answer = message; }, (error) => {
    response.writeHead(error ? statuses[error.code] ?? 500 : 200, { "content-type": error ? "application/json" : "application/proto" });
    response.end(error ? JSON.stringify(error) : answer);
  });
}

function file(path, response) {
  const name = join(web, "dist", path === "" ? "index.html" : path);
  if (path.includes("..") || !existsSync(name)) {
    response.writeHead(404, { "content-type": "application/json" });
    response.end('{"code":"unimplemented","message":"no such page"}');
    return;
  }
  response.writeHead(200, { "content-type": types[extname(name)] ?? "application/octet-stream", "content-security-policy": policy,
    "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" });
  response.end(readFileSync(name));
}

const tickets = new Set();
const server = createServer((request, response) => {
  const path = decodeURIComponent(request.url.split("?")[0]).replace(base, "");
  if (request.method !== "POST") return file(path, response);
  if (token !== "" && request.headers.authorization !== `Bearer ${token}`) {
    response.writeHead(401, { "content-type": "application/json", "www-authenticate": "Bearer" });
    return response.end(JSON.stringify({ code: "unauthenticated", message: "a token is needed that this sensor knows" }));
  }
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    if (path !== "ticket") return unary(path, Buffer.concat(chunks), response);
    const ticket = randomBytes(16).toString("hex");
    tickets.add(ticket);
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ ticket }));
  });
});

function frame(opcode, content) {
  const size = content.length;
  const head = size < 126 ? Buffer.from([128 | opcode, size]) : size < 65536 ? Buffer.from([128 | opcode, 126, size >> 8, size & 255]) : Buffer.alloc(10);
  if (size >= 65536) { head[0] = 128 | opcode; head[1] = 127; head.writeBigUInt64BE(BigInt(size), 2); }
  return Buffer.concat([head, content]);
}

// A client's frame, whole and masked: [opcode, content, rest], or null when more is to come.
function unframed(bytes) {
  if (bytes.length < 2) return null;
  let size = bytes[1] & 127, at = 2;
  if (size === 126) { size = bytes.readUInt16BE(2); at = 4; }
  if (bytes.length < at + 4 + size) return null;
  const mask = bytes.subarray(at, at + 4);
  return [bytes[0] & 15, Buffer.from(bytes.subarray(at + 4, at + 4 + size).map((byte, index) => byte ^ mask[index % 4])), bytes.subarray(at + 4 + size)];
}

server.on("upgrade", (request, socket) => {
  const told = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((word) => word.trim());
  if (told[0] !== "netscope" || !tickets.delete(told[1])) return socket.end("HTTP/1.1 401 Unauthorized\r\n\r\n");
  const key = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\nSec-WebSocket-Protocol: netscope\r\n\r\n`);
  const method = request.url.split("?")[0].replace(base, "").replace(/^ws\//, "");
  let waiting = Buffer.alloc(0), stop;
  const finish = (error) => {
    socket.write(frame(1, Buffer.from(JSON.stringify(error ? { error } : {}))));
    socket.end(frame(8, Buffer.from([3, 232])));
  };
  socket.on("data", (chunk) => {
    waiting = Buffer.concat([waiting, chunk]);
    for (let found = unframed(waiting); found; found = unframed(waiting)) {
      waiting = found[2];
      if (found[0] === 8) { stop?.(); socket.end(frame(8, found[1])); return; }
      if (found[0] === 2 && !stop) stop = ask(method, found[1], (message) => socket.write(frame(2, message)), finish);
    }
  });
  socket.on("close", () => stop?.());
  socket.on("error", () => stop?.());
});

server.listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}${base} shows the sensor at ${grpc}`));
