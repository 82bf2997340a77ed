// The bearer token of this tab, when the sensor wants one. It stays in the tab's own storage, and goes only into a header.

const key = "netscope.token";

export function signedIn(): string {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch {
    return ""; // storage is blocked: nobody can sign in by a token
  }
}

export function signIn(token: string): void {
  try {
    if (token === "") sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, token);
  } catch {
    return;
  }
}

/** The header of a request; none when a password or the address is enough. */
export function authorization(): Record<string, string> {
  const token = signedIn();
  return token === "" ? {} : { Authorization: `Bearer ${token}` };
}
