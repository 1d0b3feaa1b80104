/** Whether a host may be many machines: multicast and broadcast, in every way an address may be written. */
export const reachesMany = (host: string): boolean => {
  const [address = ""] = host.split(/[%@]/);
  if (/\s/.test(host) || address === "" || oddNumber.test(address)) {
    return true;
  }
  if (macAddress.test(address)) {
    return groupMac.test(address);
  }
  return many.test(address);
};

/** Numbers that are octal to some: `0340.0.0.1`; hexadecimal ones; addresses as one number or few. */
const oddNumber = /(?:^|[:.])0[0-9]+(?:\.|$)|^[0-9]+(?:\.[0-9]+){0,2}$|^0x|\.0x/i;

const macAddress = /^[0-9a-f]{1,2}(?:[:-][0-9a-f]{1,2}){5}$/i;
/** The first octet's lowest bit tells a group. */
const groupMac = /^[0-9a-f]?[13579bdf][:-]/i;

const many =
  /^(?:(?:.*:)?(?:22[4-9]|23[0-9]|24[0-9]|25[0-5])\.|0*f{2}[0-9a-f]{2}:|(?:.*:)?0\.|.*\.255$|[0:]*:ffff:(?:0:)?[0-9a-f]{1,4}:[0-9a-f]{1,4}$)/i;
