/** The generated client, set up for our own server: same origin, and the session's cookie. */
import { client } from "./generated/client.gen";

client.setConfig({ baseUrl: "", credentials: "same-origin" });

export { client };

/** What the server says when it refuses: `{"error": {"code", "message", "where"}}`. */
export interface Problem {
  code: string;
  message: string;
  where: string;
}

/** The server's refusal in an error of a query; null when it is another kind of failure. */
export function problem(error: unknown): Problem | null {
  const body = typeof error === "object" && error !== null && "error" in error ? error.error : null;
  if (typeof body !== "object" || body === null) return null;
  const { code, message = "", where = "" } = body as Partial<Problem>;
  return code === undefined ? null : { code, message, where };
}
