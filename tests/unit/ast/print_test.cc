#include <doctest/doctest.h>

#include "ast/expr.hpp"

namespace weir::ast {
namespace {

Expr leaf(decltype(Expr::node) node) { return {std::move(node), {}, 1}; }
Value value(decltype(Value::node) node) { return {std::move(node), {}, 1}; }

TEST_CASE("keywords are those of the first spelling") {
  CHECK(std::string(keyword(Protocol::None)).empty());
  CHECK(std::string(keyword(Protocol::Link)) == "link");
  CHECK(std::string(keyword(Protocol::Radio)) == "radio");
  CHECK(std::string(keyword(Direction::SrcAndDst)) == "src and dst");
  CHECK(std::string(keyword(Direction::Ta)) == "ta");
  CHECK(std::string(keyword(Type::None)).empty());
  CHECK(std::string(keyword(Type::Protochain)) == "protochain");
}

TEST_CASE("a dump has a node a line") {
  const Qualifiers tcp_port{Protocol::Tcp, Direction::None, Type::Port, {}};
  const Id http{IdKind::Name, true, 0, "http", {}, {}};
  const Id net{IdKind::Ipv4Mask, false, 0, "10.0.0.0", "255.0.0.0", {}};
  Chain chain;
  chain.operands = {leaf(Primitive{tcp_port, http}), leaf(Not{leaf(Group{leaf(Primitive{std::nullopt, net})})}),
                    leaf(Tunnel{TunnelKind::Vlan, 7, {}})};
  chain.is_or = {false, true};
  CHECK(to_string(leaf(chain)) ==
        "chain\n"
        "  tcp port name \\http\n"
        "  and not\n"
        "    group\n"
        "      ipv4-mask 10.0.0.0 mask 255.0.0.0\n"
        "  or vlan 7\n");
}

TEST_CASE("a dump of a relation") {
  const Value offset = value(Negate{value(Number{4})});
  const Value sum = value(Binary{Arith::Lsh, value(Accessor{Protocol::Ip6, offset, 2, {}}), value(Length{})});
  CHECK(to_string(leaf(Relation{Compare::LessEqual, sum, value(Number{9})})) ==
        "relation <=\n"
        "  <<\n"
        "    ip6[:2]\n"
        "      negate\n"
        "        4\n"
        "    len\n"
        "  9\n");
}

TEST_CASE("trees compare by content, spans included") {
  const Expr a = leaf(Not{leaf(Abbreviation{Protocol::Ip})});
  Expr b = a;
  CHECK(a == b);
  b.span.end = 1;
  CHECK(a != b);
}

}  // namespace
}  // namespace weir::ast
