// What `weir --help` and `weir COMMAND --help` say of commands; what they say of options stands with the options.
#pragma once

namespace weir::cli {

inline constexpr auto program_about = "Compiles tcpdump filter expressions, filters and captures packets with them.";
inline constexpr auto program_examples = R"(Examples:
  weir compile tcp port 80
  weir filter -r in.pcap -w out.pcap 'host 10.0.0.1 and not arp'
  weir capture -i eth0 -w web.pcap tcp port 80

`weir COMMAND --help` tells more of a command, `man weir` of everything.)";

inline constexpr auto compile_about = "Print the program that a filter expression stands for.";
inline constexpr auto compile_examples = R"--(Examples:
  weir compile tcp port 80
  weir compile --emit=asm -y LINUX_SLL 'udp and not port 53'
  tcpdump -ddd 'tcp port 80' | weir compile --from=- --emit=c
  iptables -A INPUT -m bpf --bytecode "$(weir compile -y RAW --emit=bytecode 'tcp[13] & 2 != 0')" -j ACCEPT)--";

inline constexpr auto filter_about = "Print the packets of a savefile that match an expression, or write them to another one.";
inline constexpr auto filter_examples = R"(Input is pcap or pcapng; output (-w) is pcap.

Examples:
  weir filter -r in.pcapng -w dns.pcap port 53
  weir filter -r in.pcap --count 'tcp[tcpflags] & tcp-syn != 0'
  weir filter -r monday.pcap -r tuesday.pcap -w both.pcap --invert arp
  zstd -dc in.pcap.zst | weir filter -r - -w - 'not port 22' | tcpdump -r -)";

inline constexpr auto capture_about = "Capture the packets on an interface that match an expression: print or write them.";
inline constexpr auto capture_examples =
    R"(The filter runs in the kernel. Ctrl-C ends the capture; the numbers then printed are those of tcpdump.
Capturing needs the capability CAP_NET_RAW: use sudo, or once `sudo setcap cap_net_raw+ep PATH-OF-WEIR`.

Examples:
  weir list interfaces
  weir capture -i eth0 port 53
  weir capture -i eth0 -w web.pcap -c 1000 'tcp port 80 or tcp port 443'
  weir capture -i eth0 -w - ip6 | tcpdump -r -)";

inline constexpr auto attach_about =
    "Have the kernel drop or pass packets by an expression, at an interface, a control group or a tracepoint.";
inline constexpr auto attach_examples =
    R"(The program stays until Ctrl-C, or with --pin until its file is removed. It needs CAP_BPF and CAP_NET_ADMIN: use sudo.
Without --match and --no-match, what matches passes and everything else is dropped.

Examples:
  weir attach -i eth0 --match=drop --no-match=pass 'src net 192.0.2.0/24'
  weir attach -i eth0 --hook=tc-egress --match=drop --no-match=next 'udp port 53'
  weir attach -i eth0 --live --match=drop --no-match=pass host 192.0.2.1 <changes)";

inline constexpr auto prove_about = "Prove that two filters accept the same packets, or show a packet that tells them apart.";
inline constexpr auto prove_examples =
    R"(One filter alone is compared with its compiled program. Exit status: 0 proven, 3 different, 1 undecided, 2 wrong use.

Examples:
  weir prove 'not (ip or arp)' 'not ip and not arp'
  weir prove 'tcp port 80'
  weir prove -F blocked.txt -F blocked.new
  tcpdump -ddd -s 262144 'tcp port 80' | weir prove 'tcp port 80' --bytecode -)";

inline constexpr auto run_about = "Run a program on packets, in user space, and say what it returns.";
inline constexpr auto run_examples =
    R"(The program is that of an expression (classic BPF, with --hook eBPF), or one of others: --ebpf, --cbpf.

Examples:
  weir run --packet in.pcap tcp port 80
  weir run --hook=xdp --trace --packet in.pcap host 10.0.0.1
  weir run --ebpf prog.o --hook=tc-ingress --packet 'ffffffffffff 020000000001 0806' --linear 14
  tcpdump -ddd arp | weir run --cbpf - --packet in.pcap)";

inline constexpr auto list_about = "List what filters can be compiled for, or where packets can be captured.";
inline constexpr auto list_examples = R"(Examples:
  weir list linktypes
  weir list interfaces
  weir list keywords)";

}  // namespace weir::cli
