import { describe, expect, it } from "vitest";
import { isPublicAddress, lookupPublic } from "../../../src/services/webhook/publicAddress.ts";

describe("a public address", () => {
  it.each(["8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.0", "100.63.0.1", "100.128.0.1", "2606:4700::1111"])(
    "is %s",
    (address) => expect(isPublicAddress(address)).toBe(true),
  );

  it.each([
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::a00:1",
    "fe80::1",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
    "2001:0:1::1",
    "2002:7f00:1::",
    "localhost",
    "",
  ])("is not %j", (address) => expect(isPublicAddress(address)).toBe(false));
});

describe("the look-up of a name", () => {
  it.each([true, false])("refuses one of this machine (all addresses: %s)", async (all) => {
    const error = await new Promise((resolve) => lookupPublic("localhost", { all }, resolve));
    expect(String(error)).toMatch(/^Error: localhost: expected a public address, got (127\.0\.0\.1|::1)$/);
  });

  it("passes on that there is no such name", async () => {
    const error = await new Promise((resolve) => lookupPublic("none.invalid", { all: true }, resolve));
    expect(error).toMatchObject({ syscall: "getaddrinfo" });
  });
});
