/**
 * Protects the simulator against web pages in a browser. A page of any site may send a request to 127.0.0.1, and a site
 * whose name resolves to 127.0.0.1 may read the answer as well. A submitted task can run a command on an agent with
 * `shell: true`. So every request must name a local host, must not come from another origin, and must be JSON if it changes
 * something: before a page may send JSON to another origin, the browser asks that origin (CORS), and the simulator refuses.
 */

export interface RequestHead {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** `Sec-Fetch-Site`, which browsers send. */
  readonly fetchSite: string | undefined;
  readonly contentType: string | undefined;
}

export interface Refusal {
  readonly status: number;
  readonly message: string;
}

/** Undefined if the request may be answered. `isControl`: it is for the control endpoints, not for a service. */
export function browserRefusal(head: RequestHead, isControl: boolean): Refusal | undefined {
  if (!isLocal(head.host)) {
    return {
      status: 403,
      message: `The simulator accepts requests to 127.0.0.1, [::1] and localhost, not to ${JSON.stringify(head.host ?? 'a request without Host')}.`,
    };
  }
  if (head.origin !== undefined && head.origin !== `http://${head.host ?? ''}`) {
    return { status: 403, message: 'A page of another origin may not call the simulator.' };
  }
  if (!isControl || head.method === 'GET') return undefined;
  if (head.fetchSite !== undefined && !['same-origin', 'none'].includes(head.fetchSite)) {
    return { status: 403, message: 'A page of another site may not change the simulator.' };
  }
  if (!/^application\/json[ \t]*(?:;|$)/i.test(head.contentType ?? '')) {
    return { status: 415, message: 'Send JSON with the header Content-Type: application/json.' };
  }
  return undefined;
}

/** A loopback address, or localhost, which resolvers never ask a DNS server for (RFC 6761). */
function isLocal(host: string | undefined): boolean {
  const name = /^(\[[0-9a-f:.]+\]|[^:]+)(?::[0-9]{1,5})?$/i.exec(host ?? '')?.[1]?.toLowerCase();
  if (name === undefined) return false;
  return name === 'localhost' || name === '[::1]' || /^127(?:\.[0-9]{1,3}){3}$/.test(name);
}
