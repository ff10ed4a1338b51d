interface Offer {
  acceptedAt?: string | null;
  revokedAt?: string | null;
  expiresAt: string;
}

/** What became of an invitation. */
export function stateOf(
  { acceptedAt, revokedAt, expiresAt }: Offer,
  now: number,
): "open" | "accepted" | "revoked" | "over" {
  if (acceptedAt) return "accepted";
  if (revokedAt) return "revoked";
  return Date.parse(expiresAt) > now ? "open" : "over";
}
