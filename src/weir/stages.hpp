// What a compiled filter keeps: the result of every stage, so that each can be shown.
#pragma once
#include <string>
#include <vector>

#include "ast/expr.hpp"
#include "cbpf/program.hpp"
#include "ir/program.hpp"
#include "pred/filter.hpp"
#include "weir/weir.hpp"

namespace weir {

struct Filter::Stages {
  std::string text;
  ast::Expr ast;
  pred::Filter pred;
  ir::Program ir;                    ///< optimized, unless that was not wanted
  Result<cbpf::Program> cbpf;        ///< an error when it cannot fit; everything else works all the same
  std::vector<Instruction> bytecode;
  std::vector<Diagnostic> warnings;
  Limits limits;                     ///< that it was compiled with
};

}  // namespace weir
