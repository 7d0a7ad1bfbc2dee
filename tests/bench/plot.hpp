// Line charts with two logarithmic axes, as SVG that is readable on light and dark pages and needs no font of its own.
#pragma once
#include <string>
#include <utility>
#include <vector>

namespace weir::bench {

struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;
};

/// A chart of its own, with its axes.
struct Panel {
  std::string title;
  std::vector<Series> series;
};

/// Panels beside each other, with one legend; series of the same name have the same colour. All share the ranges of the axes.
std::string plot(const std::string& title, const std::string& x_label, const std::string& y_label, const std::vector<Panel>& panels);

}  // namespace weir::bench
