/** Ways to name an address that is not public, from public knowledge; used by several tests. */

/** Addresses as a resolver or a socket gives them, none of them public. */
export const innerAddresses: readonly string[] = [
  // loopback, "this network", private, shared, link-local
  ...["127.0.0.1", "127.0.0.53", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.1.2"],
  ...["172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255", "100.64.0.1"],
  ...["100.127.255.255", "169.254.0.1", "169.254.255.255"],
  // metadata: AWS, GCP, Azure, DigitalOcean (169.254.169.254), AWS ECS and DNS and time, Azure's host agent,
  // Alibaba, Oracle, Tencent, AWS over IPv6
  ...["169.254.169.254", "169.254.170.2", "169.254.169.253", "169.254.169.123", "168.63.129.16"],
  ...["100.100.100.200", "192.0.0.192", "169.254.0.23", "fd00:ec2::254", "fd20:ce::254"],
  // documentation, benchmarking, assignments, multicast, reserved, broadcast
  ...["192.0.2.1", "198.51.100.7", "203.0.113.9", "198.18.0.1", "198.19.255.255", "192.0.0.1"],
  ...["192.0.0.8", "192.88.99.1", "192.31.196.1", "192.52.193.1", "192.175.48.1", "224.0.0.1"],
  ...["239.255.255.255", "240.0.0.1", "255.255.255.254", "255.255.255.255"],
  // IPv6's own
  ...[
    "::",
    "::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "fc00::1",
    "fdff:ffff::1",
    "ff02::1",
    "ff0e::1",
  ],
  ...["100::1", "100:0:0:1::1", "2001:db8::1", "3fff::1", "3ffe::1", "2001:2::1", "2001:10::1"],
  ...["2001:20::1", "2001:1::1", "2001:3::1", "2001:4:112::1", "2620:4f:8000::1", "5f00::1"],
  ...["1::1", "4000::1", "8000::1", "e000::1", "fe00::1"],
  // IPv4 inside IPv6: mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP
  ...["::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:a9fe:a9fe", "::ffff:10.0.0.1", "::127.0.0.1"],
  ...["::7f00:1", "::a9fe:a9fe", "::8.8.8.8", "::ffff:0:127.0.0.1", "::ffff:0:7f00:1"],
  ...["64:ff9b::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::8.8.8.8"],
  ...["64:ff9b:1::7f00:1", "64:ff9b:1:ffff::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1"],
  ...["2002:808:808::1", "2001::1", "2001:0:7f00:1::", "2001:0:4136:e378:8000:63bf:80ff:fffe"],
  ...["2a00:1450:4001:81b:0:5efe:7f00:1", "2a00:1450:4001:81b:200:5efe:a00:1"],
  // not an address as sockets take them
  ...["fe80::1%eth0", "::1%lo", "fe80::1%1", "", "localhost", "0177.0.0.1", "0x7f.1", "2130706433"],
  ...["127.1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "[::1]", "8.8.8.8 ", "8.8.8.8/32", "8.8.8.8:80"],
];

export const outerAddresses: readonly string[] = [
  ...["8.8.8.8", "1.1.1.1", "93.184.215.14", "100.63.255.255", "100.128.0.1", "172.15.255.255"],
  ...[
    "172.32.0.1",
    "192.167.1.1",
    "192.169.0.1",
    "169.253.1.1",
    "168.63.129.15",
    "223.255.255.254",
  ],
  ...["11.0.0.1", "126.255.255.255", "128.0.0.1", "2606:4700:4700::1111", "2001:4860:4860::8888"],
  ...["2a00:1450:4001:81b::200e", "2400:cb00::1", "::ffff:8.8.8.8", "::ffff:808:808"],
];

/** Hosts in notations that sockets, libraries or browsers read as an inner address, without asking DNS. */
export const innerHosts: readonly string[] = [
  // loopback: dotted, octal, hex, decimal, short, mixed, padded, full width, circled, ideographic dots, escaped
  ...["127.0.0.1", "127.0.0.1.", "0177.0.0.1", "0177.0.0.01", "00000177.0.0.1", "0x7f.0.0.1"],
  ...["0x7f000001", "0X7F000001", "0x7f.1", "0x7f.0x0.0x0.0x1", "2130706433", "017700000001"],
  ...["127.1", "127.0.1", "127.000.000.001", "0", "0.0.0.0", "0x0", "00", "127.127.127.127"],
  ...[
    "１２７.０.０.１",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "127．0．0．1",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
  ],
  ...["[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"],
  ...[
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
  ],
  ...["[2001:0:7f00:1::]", "[64:ff9b:1::1]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]"],
  // metadata and private networks in the same notations
  ...["169.254.169.254", "169.254.169.254.", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376"],
  ...["0xA9.0xFE.0xA9.0xFE", "169.254.43518", "169.16689662", "①⑥⑨。②⑤④。①⑥⑨。②⑤④"],
  ...["[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "168.63.129.16"],
  ...[
    "100.100.100.200",
    "192.0.0.192",
    "10.0.0.1",
    "012.1",
    "0xa000001",
    "172.16.0.1",
    "192.168.1.1",
  ],
  ...["3232235777", "0xc0a80101", "255.255.255.255", "4294967295", "224.0.0.1", "240.0.0.1"],
];

/** URLs that must be refused for their own sake, before any name is resolved. */
export const badUrls: readonly string[] = [
  // schemes
  ...[
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "gopher://example.com/_GET",
    "ftp://example.com/",
  ],
  ...[
    "data:text/html,x",
    "javascript:alert(1)",
    "blob:http://example.com/1",
    "dict://example.com:80/",
  ],
  ...[
    "ldap://example.com/",
    "ws://example.com/",
    "about:blank",
    "jar:http://example.com!/",
    "view-source:http://example.com/",
  ],
  ...[
    "tftp://example.com/",
    "unix:/run/docker.sock",
    "http+unix://%2frun%2fdocker.sock/",
    "netdoc:///etc/passwd",
  ],
  // user names, also to confuse readers
  ...["http://user@example.com/", "http://user:pw@example.com/", "http://:pw@example.com/"],
  ...[
    "http://example.com@127.0.0.1/",
    "http://example.com:80@127.0.0.1/",
    "http://127.0.0.1:80@example.com/",
  ],
  ...[
    "http://example.com%40127.0.0.1@example.com/",
    "https://example.com&@127.0.0.1#@example.com/",
  ],
  // ports
  ...[
    "http://example.com:22/",
    "http://example.com:8080/",
    "http://example.com:6379/",
    "http://example.com:0/",
  ],
  ...[
    "https://example.com:8443/",
    "http://example.com:2375/",
    "http://example.com:65536/",
    "http://example.com:-1/",
  ],
  ...["http://127.0.0.1:11211:80/", "http://example.com:80:22/"],
  // line breaks and control characters
  ...[
    "http://example.com/\r\nHost: inner",
    "http://exam\nple.com/",
    "http://example.com/\u0000",
    "\thttp://example.com/",
  ],
  ...["http://example.com\u0000.evil.test/", "http://example.com/a\u007f", "http://example.com\r/"],
  // hosts that are none
  ...[
    "http://",
    "http:///",
    "http://?",
    "http://.",
    "http://..",
    "http://a..b/",
    "http://[::1",
    "http://::1/",
  ],
  ...[
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[::1%25lo]/",
    "http://[::ffff:127.0.0.1%25]/",
  ],
  ...[
    "http://127.0.0.1%00.example.com/",
    "http://example.com%0d%0a/",
    "http://256.256.256.256/",
    "http://1.2.3.4.5/",
  ],
  ...[
    "http://exa$mple.com/",
    "http://a!b.example/",
    "http://(example).com/",
    "http://x,y.example/",
    "http://a b.example/",
  ],
  ...[
    `http://${"a".repeat(64)}.example/`,
    `http://${"a.".repeat(127)}example/`,
    `http://example.com/${"a".repeat(9_000)}`,
  ],
  ...[
    "",
    " ",
    "example.com",
    "//example.com/",
    "/etc/passwd",
    "http",
    "http:",
    "127.0.0.1",
    "localhost:80",
  ],
];

/** Names, and what an attacker's or the machine's own resolver says of them. */
export const innerNames: Readonly<Record<string, readonly string[]>> = {
  localhost: ["127.0.0.1", "::1"],
  "localhost.": ["127.0.0.1"],
  LOCALHOST: ["127.0.0.1"],
  ｌｏｃａｌｈｏｓｔ: ["127.0.0.1"],
  "foo.localhost": ["127.0.0.1"],
  "localhost.localdomain": ["127.0.0.1"],
  "ip6-localhost": ["::1"],
  "127.0.0.1.nip.io": ["127.0.0.1"],
  "7f000001.nip.io": ["127.0.0.1"],
  "app.10.0.0.1.sslip.io": ["10.0.0.1"],
  "spoofed.attacker.example": ["::ffff:127.0.0.1"],
  "nat64.attacker.example": ["64:ff9b::7f00:1"],
  "compatible.attacker.example": ["::7f00:1"],
  "sixtofour.attacker.example": ["2002:7f00:1::"],
  "zone.attacker.example": ["fe80::1%eth0"],
  "metadata.google.internal": ["169.254.169.254"],
  metadata: ["169.254.169.254"],
  "instance-data": ["169.254.169.254"],
  "metadata.tencentyun.com": ["169.254.0.23"],
  "kubernetes.default.svc": ["10.96.0.1"],
  "host.docker.internal": ["192.168.65.254"],
  "both.attacker.example": ["93.184.215.14", "127.0.0.1"],
  "both-last.attacker.example": [
    "93.184.215.14",
    "2606:4700:4700::1111",
    "8.8.8.8",
    "1.1.1.1",
    "::1",
  ],
  "empty.attacker.example": [],
  "garbage.attacker.example": ["93.184.215.14", "not an address"],
};
