#include "plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace weir::bench {
namespace {

// Colours that differ for colour-blind eyes, too (Okabe, Ito), and dashes beside them.
struct Style {
  const char* colour;
  const char* dash;
};
constexpr std::array<Style, 4> styles = {{{"#d55e00", ""}, {"#e69f00", "6 3"}, {"#0072b2", ""}, {"#56b4e9", "6 3"}}};

constexpr double panel_width = 270, panel_height = 250, left = 62, top = 76, gap = 44, bottom = 58;

struct Axis {
  int low = 0, high = 1;  ///< powers of ten
  double place(double value, double length) const { return (std::log10(value) - low) / (high - low) * length; }
};

Axis axis_of(const std::vector<Panel>& panels, bool of_x) {
  double low = 1e300, high = 0;
  for (const Panel& p : panels)
    for (const Series& s : p.series)
      for (const auto& [x, y] : s.points) {
        low = std::min(low, of_x ? x : y);
        high = std::max(high, of_x ? x : y);
      }
  if (high == 0) return {};
  return {static_cast<int>(std::floor(std::log10(low) + 1e-9)),
          std::max(static_cast<int>(std::ceil(std::log10(high) - 1e-9)), static_cast<int>(std::floor(std::log10(low))) + 1)};
}

/// 1000 as `1000`, 0.001 as `0.001`.
std::string power(int exponent) {
  return exponent >= 0 ? fmt::format("{:.0f}", std::pow(10, exponent))
                       : fmt::format("{:.{}f}", std::pow(10, exponent), -exponent);
}

std::string text(double x, double y, const char* anchor, const char* kind, const std::string& words) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" class=\"{}\">{}</text>\n", x, y, anchor, kind, words);
}

std::string line(double x1, double y1, double x2, double y2, const char* kind) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>\n", x1, y1, x2, y2, kind);
}

std::string grid(double at, const Axis& x, const Axis& y, bool with_numbers) {
  std::string svg;
  for (int e = x.low; e <= x.high; ++e) {
    const double px = at + x.place(std::pow(10, e), panel_width);
    svg += line(px, top, px, top + panel_height, "grid") + text(px, top + panel_height + 16, "middle", "tick", power(e));
  }
  for (int e = y.low; e <= y.high; ++e) {
    const double py = top + panel_height - y.place(std::pow(10, e), panel_height);
    svg += line(at, py, at + panel_width, py, "grid");
    if (with_numbers) svg += text(at - 6, py + 4, "end", "tick", power(e));
  }
  return svg;
}

std::string curve(const Series& s, const Style& style, double at, const Axis& x, const Axis& y) {
  std::string path, dots;
  for (const auto& [vx, vy] : s.points) {
    const double px = at + x.place(vx, panel_width), py = top + panel_height - y.place(vy, panel_height);
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : " L", px, py);
    dots += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.4\" fill=\"{}\"/>\n", px, py, style.colour);
  }
  return path.empty() ? ""
                      : fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\" stroke-dasharray=\"{}\"/>\n",
                                    path, style.colour, *style.dash != '\0' ? style.dash : "none") +
                            dots;
}

std::string legend(const std::vector<Series>& series) {
  std::string svg;
  double at = left;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const Style& style = styles[i % styles.size()];
    svg += fmt::format(
        "<line x1=\"{:.1f}\" y1=\"46\" x2=\"{:.1f}\" y2=\"46\" stroke=\"{}\" stroke-width=\"2\" stroke-dasharray=\"{}\"/>\n", at,
        at + 26, style.colour, *style.dash != '\0' ? style.dash : "none");
    svg += text(at + 32, 50, "start", "name", series[i].name);
    at += 56 + 6.6 * static_cast<double>(series[i].name.size());
  }
  return svg;
}

// The page's own colour scheme decides; the background stays the page's.
constexpr const char* style_sheet = R"(<style>
text { font-family: sans-serif; font-size: 12px; fill: #333 }
.title { font-size: 15px; font-weight: bold }
.tick { font-size: 11px }
.grid { stroke: #888; stroke-opacity: 0.35 }
@media (prefers-color-scheme: dark) { text { fill: #ddd } }
</style>
)";

}  // namespace

std::string plot(const std::string& title, const std::string& x_label, const std::string& y_label, const std::vector<Panel>& panels) {
  const Axis x = axis_of(panels, true), y = axis_of(panels, false);
  const double width = left + static_cast<double>(panels.size()) * (panel_width + gap), height = top + panel_height + bottom;
  std::string svg =
      fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0f} {:.0f}\" width=\"{:.0f}\" height=\"{:.0f}\">\n",
                  width, height, width, height);
  svg += style_sheet + text(left, 24, "start", "title", title) + legend(panels.empty() ? std::vector<Series>() : panels.front().series);
  for (std::size_t i = 0; i < panels.size(); ++i) {
    const double at = left + static_cast<double>(i) * (panel_width + gap);
    svg += grid(at, x, y, i == 0) + text(at + panel_width / 2, top - 8, "middle", "name", panels[i].title);
    svg += text(at + panel_width / 2, top + panel_height + 36, "middle", "name", x_label);
    for (std::size_t s = 0; s < panels[i].series.size(); ++s) svg += curve(panels[i].series[s], styles[s % styles.size()], at, x, y);
  }
  svg += fmt::format(
      "<text transform=\"translate(14 {:.1f}) rotate(-90)\" text-anchor=\"middle\" class=\"name\">{}</text>\n</svg>\n",
      top + panel_height / 2, y_label);
  return svg;
}

}  // namespace weir::bench
