// The filter as it was written: what `grammar` hands over and `resolve` takes. Names are words here and
// nothing has been looked up; numbers are numbers. All types are regular: they copy, compare (spans
// included) and print. Nesting is at most Limits::depth, so walking by recursion is safe; chains of
// and/or are flat and may have any length.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/arith.hpp"
#include "base/box.hpp"
#include "base/span.hpp"

namespace weir::ast {

/// Protocol qualifier; rows in protocols.def.
enum class Protocol : std::uint8_t {
  None,
#define WEIR_PROTOCOL(name, ...) name,
#include "ast/protocols.def"
#undef WEIR_PROTOCOL
};

/// Direction qualifier.
enum class Direction : std::uint8_t {
  None, Src, Dst, SrcOrDst, SrcAndDst, Addr1, Addr2, Addr3, Addr4, Ra, Ta
};

/// Type qualifier.
enum class Type : std::uint8_t { None, Host, Net, Port, Portrange, Gateway, Proto, Protochain };

/// `tcp src port`: what stands before an id. At least one of direction and type is there.
struct Qualifiers {
  Protocol protocol = Protocol::None;
  Direction direction = Direction::None;
  Type type = Type::None;
  Span span;
  bool operator==(const Qualifiers&) const = default;
};

/// What an id can look like; the text is what was written (an escaped name without its backslash).
enum class IdKind : std::uint8_t {
  Name,        ///< `www.example.org`, `\tcp`, `ftp-data-90`
  Number,      ///< `80`, `0x50`, `(80)`: value holds it
  Ipv4,        ///< 2 to 4 numbers with dots
  Ipv4Prefix,  ///< text `/` value
  Ipv4Mask,    ///< text `mask` mask
  Ipv6,        ///< text
  Ipv6Prefix,  ///< text `/` value
  Mac48,       ///< `00:11:22:33:44:55` and its other shapes
  Mac8,        ///< `$1f`
};

struct Id {
  IdKind kind = IdKind::Name;
  bool escaped = false;     ///< Name: it was written with a backslash
  std::uint32_t value = 0;  ///< Number, prefix length
  std::string text;         ///< all but Number
  std::string mask;         ///< Ipv4Mask
  Span span;
  bool operator==(const Id&) const = default;
};

struct Expr;

/// `tcp port 80`; without qualifiers the id inherits them from what stands before it (`or 90`).
struct Primitive {
  std::optional<Qualifiers> qualifiers;
  Id id;
  bool operator==(const Primitive&) const = default;
};

/// `port (80 or 90)`: the ids inside have no qualifiers of their own.
struct QualifiedGroup {
  Qualifiers qualifiers;
  Box<Expr> ids;
  bool operator==(const QualifiedGroup&) const = default;
};

/// `( … )` around an expression, or around ids without qualifiers (`or (90 or 91)`).
struct Group {
  Box<Expr> inner;
  bool operator==(const Group&) const = default;
};

struct Not {
  Box<Expr> operand;
  bool operator==(const Not&) const = default;
};

/// `a and b or c`: equal precedence, left to right, flat. One operator fewer than operands.
struct Chain {
  std::vector<Expr> operands;
  std::vector<bool> is_or;  ///< is_or[i]: the operator between operands i and i+1
  bool operator==(const Chain&) const = default;
};

/// A protocol alone: `tcp`.
struct Abbreviation {
  Protocol protocol = Protocol::None;
  bool operator==(const Abbreviation&) const = default;
};

// ---- relations -------------------------------------------------------------------------------

struct Value;

struct Number {
  std::uint32_t value = 0;
  bool operator==(const Number&) const = default;
};
struct Length {
  bool operator==(const Length&) const = default;
};
/// `tcp[offset:size]`; size is what was written (1 when it was not), not yet checked.
struct Accessor {
  Protocol protocol = Protocol::None;
  Box<Value> offset;
  std::uint32_t size = 1;
  Span size_span;
  bool operator==(const Accessor&) const = default;
};
struct Negate {
  Box<Value> operand;
  bool operator==(const Negate&) const = default;
};
struct Binary {
  Arith op = Arith::Add;
  Box<Value> left;
  Box<Value> right;
  bool operator==(const Binary&) const = default;
};

struct Value {
  std::variant<Number, Length, Accessor, Negate, Binary> node;
  Span span;
  std::uint32_t depth = 1;  ///< height of the tree, counted where nodes are joined
  bool operator==(const Value&) const = default;
};

enum class Compare : std::uint8_t { Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual };

struct Relation {
  Compare op = Compare::Equal;
  Value left;
  Value right;
  bool operator==(const Relation&) const = default;
};

// ---- primitives with a form of their own -------------------------------------------------------

struct Broadcast { Protocol protocol = Protocol::None; bool operator==(const Broadcast&) const = default; };
struct Multicast { Protocol protocol = Protocol::None; bool operator==(const Multicast&) const = default; };
/// `less N` (length <= N) and `greater N` (length >= N).
struct LengthTest { bool greater = false; std::uint32_t value = 0; bool operator==(const LengthTest&) const = default; };
enum class ByteOp : std::uint8_t { And, Or, Less, Greater, Equal };
/// `byte OFFSET OP VALUE`.
struct ByteTest {
  std::uint32_t offset = 0;
  ByteOp op = ByteOp::Equal;
  std::uint32_t value = 0;
  Span value_span;
  bool operator==(const ByteTest&) const = default;
};
struct Inbound { bool outbound = false; bool operator==(const Inbound&) const = default; };
struct Ifindex { std::uint32_t value = 0; bool operator==(const Ifindex&) const = default; };

enum class TunnelKind : std::uint8_t { Vlan, Mpls, Pppoed, Pppoes, Geneve, Vxlan };
/// `vlan 10`, `mpls`, …: shifts what later primitives see (pppoed does not, and takes no number).
struct Tunnel {
  TunnelKind kind = TunnelKind::Vlan;
  std::optional<std::uint32_t> number;
  Span number_span;
  bool operator==(const Tunnel&) const = default;
};

/// A word or a number where either may stand.
struct WordOrNumber {
  std::optional<std::uint32_t> number;
  std::string word;
  Span span;
  bool operator==(const WordOrNumber&) const = default;
};

/// `type T`, `type T subtype S`, `subtype S`. The keyword before it (`wlan type …`) means nothing.
struct WlanType {
  std::optional<WordOrNumber> type;
  std::optional<WordOrNumber> subtype;
  bool operator==(const WlanType&) const = default;
};
struct WlanDirection { WordOrNumber value; bool operator==(const WlanDirection&) const = default; };
/// `llc`, `llc i`, `llc rnr` … (kind empty: just `llc`).
struct Llc { std::string kind; Span kind_span; bool operator==(const Llc&) const = default; };

enum class PfField : std::uint8_t { Ifname, Ruleset, Rulenum, Subrulenum, Reason, Action };
struct Pf { PfField field = PfField::Ifname; WordOrNumber value; bool operator==(const Pf&) const = default; };

enum class AtmKind : std::uint8_t { Lane, Metac, Bcc, Oamf4sc, Oamf4ec, Sc, Ilmic, Oam, Oamf4, Connectmsg, Metaconnect };
struct Atm { AtmKind kind = AtmKind::Lane; bool operator==(const Atm&) const = default; };
enum class Mtp2Kind : std::uint8_t { Fisu, Lssu, Msu, Hfisu, Hlssu, Hmsu };
struct Mtp2 { Mtp2Kind kind = Mtp2Kind::Fisu; bool operator==(const Mtp2&) const = default; };

enum class Field : std::uint8_t { Vpi, Vci, Sio, Opc, Dpc, Sls, Hsio, Hopc, Hdpc, Hsls };
/// `vpi 3`, `opc > 5`, `dpc (1 or 2)`: the alternatives are or-ed.
struct FieldTest {
  struct Alternative {
    Compare op = Compare::Equal;
    std::uint32_t value = 0;
    Span span;
    bool operator==(const Alternative&) const = default;
  };
  Field field = Field::Vpi;
  std::vector<Alternative> alternatives;
  bool operator==(const FieldTest&) const = default;
};

/// Nothing was written: accepts every packet.
struct Everything { bool operator==(const Everything&) const = default; };

struct Expr {
  std::variant<Everything, Primitive, QualifiedGroup, Group, Not, Chain, Abbreviation, Relation, Broadcast,
               Multicast, LengthTest, ByteTest, Inbound, Ifindex, Tunnel, WlanType, WlanDirection, Llc, Pf,
               Atm, Mtp2, FieldTest>
      node;
  Span span;                ///< all words of it
  std::uint32_t depth = 1;  ///< nesting, counted where nodes are joined; a chain costs none
  bool operator==(const Expr&) const = default;
};

/// The keyword of a qualifier as messages write it; "" for None.
const char* keyword(Protocol p);
const char* keyword(Direction d);
const char* keyword(Type t);

/// A dump, one node a line, indented; for people, and for tests.
std::string to_string(const Expr& e);

}  // namespace weir::ast
