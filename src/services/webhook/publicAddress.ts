/**
 * Which addresses are on the public internet. Whoever may set up a webhook makes this server send requests, which must not
 * reach what only the server can reach: its own machine, its network, the metadata of its cloud.
 */
import { lookup } from "node:dns";
import { BlockList, isIP } from "node:net";
import type { LookupFunction } from "node:net";

/** Special addresses of IPv4 (RFC 6890 and successors). */
const special4 = blockList("ipv4", [
  ["0.0.0.0", 8], // this network
  ["10.0.0.0", 8], // private
  ["100.64.0.0", 10], // behind a carrier's NAT
  ["127.0.0.0", 8], // loopback
  ["169.254.0.0", 16], // link-local, among them the metadata of clouds
  ["172.16.0.0", 12], // private
  ["192.0.0.0", 24], // protocols
  ["192.0.2.0", 24], // documentation
  ["192.88.99.0", 24], // 6to4 relays
  ["192.168.0.0", 16], // private
  ["198.18.0.0", 15], // benchmarks
  ["198.51.100.0", 24], // documentation
  ["203.0.113.0", 24], // documentation
  ["224.0.0.0", 4], // multicast
  ["240.0.0.0", 4], // reserved, and broadcast
]);

/** The only addresses of IPv6 that are given out; loopback, link-local, unique-local, mapped IPv4 and multicast lie outside. */
const global6 = blockList("ipv6", [["2000::", 3]]);
/** Special ones among them, those that hold an IPv4 address included. */
const special6 = blockList("ipv6", [
  ["2001::", 23], // protocols, Teredo
  ["2001:db8::", 32], // documentation
  ["2002::", 16], // 6to4
  ["3fff::", 20], // documentation
]);

/** False for what is no address. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !special4.check(address, "ipv4");
    case 6:
      return global6.check(address, "ipv6") && !special6.check(address, "ipv6");
    default:
      return false;
  }
}

/**
 * For the option `lookup` of a request: finds the addresses of a name as always, and refuses it where one of them is not
 * public. What is connected to is what was looked at, so a name cannot change its address in between.
 */
export const lookupPublic: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, []);
    const refused = addresses.find(({ address }) => !isPublicAddress(address));
    if (refused) return callback(new Error(notPublic(hostname, refused.address)), []);
    if (options.all) return callback(null, addresses);
    const { address, family } = addresses[0]!;
    return callback(null, address, family);
  });
};

export function notPublic(hostname: string, address: string): string {
  return `${hostname}: expected a public address, got ${address}`;
}

function blockList(family: "ipv4" | "ipv6", subnets: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of subnets) list.addSubnet(address, prefix, family);
  return list;
}
