// The dump of a tree: a line a node, children indented below it. In a chain every operand but the first begins with
// the operator before it. Tested by tests/unit/ast/print_test.cc.
#include <fmt/format.h>

#include <iterator>

#include "ast/expr.hpp"

namespace weir::ast {
namespace {

template <class... Fs>
struct overloaded : Fs... {
  using Fs::operator()...;
};

template <class Enum, std::size_t n>
const char* name(const char* const (&names)[n], Enum e) {
  return names[static_cast<std::size_t>(e)];
}

constexpr const char* id_kinds[] = {"name", "number",      "ipv4",  "ipv4-prefix", "ipv4-mask",
                                    "ipv6", "ipv6-prefix", "mac48", "mac8"};
constexpr const char* compares[] = {"=", "!=", "<", "<=", ">", ">="};
constexpr const char* byte_ops[] = {"&", "|", "<", ">", "="};
constexpr const char* tunnels[] = {"vlan", "mpls", "pppoed", "pppoes", "geneve", "vxlan"};
constexpr const char* pf_fields[] = {"ifname", "ruleset", "rulenum", "subrulenum", "reason", "action"};
constexpr const char* atm_kinds[] = {"lane",  "metac", "bcc",   "oamf4sc",    "oamf4ec",    "sc",
                                     "ilmic", "oam",   "oamf4", "connectmsg", "metaconnect"};
constexpr const char* mtp2_kinds[] = {"fisu", "lssu", "msu", "hfisu", "hlssu", "hmsu"};
constexpr const char* fields[] = {"vpi", "vci", "sio", "opc", "dpc", "sls", "hsio", "hopc", "hdpc", "hsls"};

std::string text(const Qualifiers& q) {
  std::string out;
  for (const char* word : {keyword(q.protocol), keyword(q.direction), keyword(q.type)}) {
    if (*word && !out.empty()) out += ' ';
    out += word;
  }
  return out;
}

std::string text(const Id& id) {
  const std::string what = fmt::format("{} {}", name(id_kinds, id.kind), id.text);
  switch (id.kind) {
    case IdKind::Name: return (id.escaped ? "name \\" : "name ") + id.text;
    case IdKind::Number: return fmt::format("number {}", id.value);
    case IdKind::Ipv4Prefix:
    case IdKind::Ipv6Prefix: return fmt::format("{}/{}", what, id.value);
    case IdKind::Ipv4Mask: return fmt::format("{} mask {}", what, id.mask);
    case IdKind::Ipv4:
    case IdKind::Ipv6:
    case IdKind::Mac48:
    case IdKind::Mac8: return what;
  }
  return what;
}

std::string text(const WordOrNumber& w) { return w.number ? fmt::format("{}", *w.number) : w.word; }

std::string text(const WlanType& w) {
  std::string out = "wlan";
  if (w.type) out += " type " + text(*w.type);
  if (w.subtype) out += " subtype " + text(*w.subtype);
  return out;
}

std::string text(const FieldTest& f) {
  std::string out = name(fields, f.field);
  for (const FieldTest::Alternative& a : f.alternatives)
    out += fmt::format("{} {} {}", &a == f.alternatives.data() ? "" : " or", name(compares, a.op), a.value);
  return out;
}

std::string text(const Tunnel& t) {
  return t.number ? fmt::format("{} {}", name(tunnels, t.kind), *t.number) : name(tunnels, t.kind);
}

/// "tcp broadcast", or "broadcast" alone.
std::string with(Protocol p, const char* word) {
  return p == Protocol::None ? word : fmt::format("{} {}", keyword(p), word);
}

class Printer {
 public:
  void print(const Expr& e, std::string_view prefix = {}) {
    begin(prefix);
    std::visit([this](const auto& node) { print_node(node); }, e.node);
  }

  std::string take() { return std::move(out_); }

 private:
  // ---- nodes with children
  void print_node(const Chain& c) {
    end("chain");
    below([&] {
      for (std::size_t i = 0; i < c.operands.size(); ++i)
        print(c.operands[i], i == 0 ? "" : c.is_or[i - 1] ? "or " : "and ");
    });
  }
  void print_node(const Group& g) {
    end("group");
    below([&] { print(*g.inner); });
  }
  void print_node(const Not& n) {
    end("not");
    below([&] { print(*n.operand); });
  }
  void print_node(const QualifiedGroup& g) {
    end(text(g.qualifiers));
    below([&] { print(*g.ids); });
  }
  void print_node(const Relation& r) {
    end(fmt::format("relation {}", name(compares, r.op)));
    below([&] {
      print(r.left);
      print(r.right);
    });
  }

  // ---- leaves
  void print_node(const Everything&) { end("everything"); }
  void print_node(const Primitive& p) { end(p.qualifiers ? text(*p.qualifiers) + " " + text(p.id) : text(p.id)); }
  void print_node(const Abbreviation& a) { end(keyword(a.protocol)); }
  void print_node(const Broadcast& b) { end(with(b.protocol, "broadcast")); }
  void print_node(const Multicast& m) { end(with(m.protocol, "multicast")); }
  void print_node(const LengthTest& t) { end(fmt::format("{} {}", t.greater ? "greater" : "less", t.value)); }
  void print_node(const ByteTest& b) { end(fmt::format("byte {} {} {}", b.offset, name(byte_ops, b.op), b.value)); }
  void print_node(const Inbound& i) { end(i.outbound ? "outbound" : "inbound"); }
  void print_node(const Ifindex& i) { end(fmt::format("ifindex {}", i.value)); }
  void print_node(const Tunnel& t) { end(text(t)); }
  void print_node(const WlanType& w) { end(text(w)); }
  void print_node(const WlanDirection& w) { end("dir " + text(w.value)); }
  void print_node(const Llc& l) { end(l.kind.empty() ? "llc" : "llc " + l.kind); }
  void print_node(const Pf& p) { end(fmt::format("{} {}", name(pf_fields, p.field), text(p.value))); }
  void print_node(const Atm& a) { end(name(atm_kinds, a.kind)); }
  void print_node(const Mtp2& m) { end(name(mtp2_kinds, m.kind)); }
  void print_node(const FieldTest& f) { end(text(f)); }

  // ---- values
  void print(const Value& v) {
    begin({});
    std::visit(overloaded{[this](const Number& n) { end(fmt::format("{}", n.value)); },
                          [this](const Length&) { end("len"); },
                          [this](const Accessor& a) {
                            end(fmt::format("{}[:{}]", keyword(a.protocol), a.size));
                            below([&] { print(*a.offset); });
                          },
                          [this](const Negate& n) {
                            end("negate");
                            below([&] { print(*n.operand); });
                          },
                          [this](const Binary& b) {
                            end(symbol(b.op));
                            below([&] {
                              print(*b.left);
                              print(*b.right);
                            });
                          }},
               v.node);
  }

  // ---- lines
  void begin(std::string_view prefix) {
    out_.append(2 * indent_, ' ');
    out_ += prefix;
  }
  void end(std::string_view line) {
    out_ += line;
    out_ += '\n';
  }
  template <class Body>
  void below(Body body) {
    ++indent_;
    body();
    --indent_;
  }

  std::string out_;
  std::size_t indent_ = 0;
};

}  // namespace

const char* keyword(Protocol p) {
  constexpr const char* names[] = {
      "",
#define WEIR_PROTOCOL(name, first, ...) first,
#include "ast/protocols.def"
#undef WEIR_PROTOCOL
  };
  return name(names, p);
}

const char* keyword(Direction d) {
  constexpr const char* names[] = {"",      "src",   "dst",   "src or dst", "src and dst", "addr1",
                                   "addr2", "addr3", "addr4", "ra",         "ta"};
  return name(names, d);
}

const char* keyword(Type t) {
  constexpr const char* names[] = {"", "host", "net", "port", "portrange", "gateway", "proto", "protochain"};
  return name(names, t);
}

std::string to_string(const Expr& e) {
  Printer printer;
  printer.print(e);
  return printer.take();
}

}  // namespace weir::ast
