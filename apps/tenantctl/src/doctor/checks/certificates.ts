import { connect } from "node:tls";
import { type Check, type Finding, problem, warning } from "../check.ts";
import type { Patient } from "../patient.ts";

/** Where a service is reached by TLS: its certificate is trusted here, and is for a while. */
export const certificates: Check = {
  name: "certificates",
  needs: [],
  unanswered: () => "openssl s_client -connect <host>:<port>",
  examine: async ({ stack }, signal) => {
    const urls = secured(stack);
    const settled = await Promise.all(urls.map((url) => look(url, signal)));
    return {
      seen: urls.length === 0 ? "TLS is not configured" : `${urls.length} looked at`,
      findings: settled.flat(),
    };
  },
};

const secured = (stack: Patient["stack"]): readonly URL[] =>
  [stack.api.url, stack.identity.url, stack.minio.endpoint, stack.schemaRegistry.url]
    .map((url) => new URL(url))
    .filter(({ protocol }) => protocol === "https:");

const soonDays = 30;
const dayMs = 86_400_000;

const look = async (url: URL, signal: AbortSignal): Promise<readonly Finding[]> => {
  try {
    return certificateFindings(url.host, await certificateOf(url, signal), new Date());
  } catch (error) {
    return [problem(`${url.host} shows no certificate: ${(error as Error).message}`, renewal(url.host))];
  }
};

interface Shown {
  readonly validTo: Date;
  readonly distrust: string | undefined;
}

/** Says when a certificate ended or will soon, and when nobody here trusts it. */
export const certificateFindings = (
  host: string,
  { validTo, distrust }: Shown,
  now: Date,
): readonly Finding[] => {
  const days = Math.floor((validTo.getTime() - now.getTime()) / dayMs);
  if (days < 0) return [problem(`the certificate of ${host} ended on ${day(validTo)}`, renewal(host))];
  return [
    ...(distrust === undefined
      ? []
      : [
          problem(
            `the certificate of ${host} is not trusted here (${distrust})`,
            "NODE_EXTRA_CA_CERTS=<the file of its authority> for the fleet and for tenantctl",
          ),
        ]),
    ...(days >= soonDays
      ? []
      : [warning(`the certificate of ${host} ends in ${days} days, on ${day(validTo)}`, renewal(host))]),
  ];
};

const renewal = (host: string): string => `renew the certificate of ${host}, then restart what serves it`;

const day = (date: Date): string => date.toISOString().slice(0, 10);

const certificateOf = ({ hostname, port }: URL, signal: AbortSignal): Promise<Shown> =>
  new Promise((resolve, reject) => {
    // Looked at only: nothing is asked of who shows it.
    const socket = connect(
      { host: hostname, port: Number(port || 443), servername: hostname, rejectUnauthorized: false },
      () => {
        const certificate = socket.getPeerCertificate();
        socket.end();
        resolve({
          validTo: new Date(certificate.valid_to),
          distrust: socket.authorized ? undefined : String(socket.authorizationError),
        });
      },
    );
    socket.once("error", reject);
    signal.addEventListener("abort", () => socket.destroy(new Error("no answer")), { once: true });
  });
