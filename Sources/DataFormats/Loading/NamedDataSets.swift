// The data sets that have a name, and the words the command line lists them with.

/// Name and one-line description of every named data set, in the order in which `distsgd data` lists them.
package let namedDataSets: [(name: String, description: String)] = [
  (
    "airfoil-like",
    "built in: 1,500 rows, 5 features, with exactly the moments of the airfoil set (regression)"
  ),
  (
    "airfoil",
    "NASA airfoil self-noise, 1,503 rows, 5 features; downloaded once (regression)"
  ),
  (
    "fashion-mnist",
    "60,000 + 10,000 images of 28 × 28 pixels, 10 classes; apt install dataset-fashion-mnist (classification)"
  ),
  (
    "synthetic:N,D",
    "N rows of D normal features, targets from a random linear model with noise 0.01 (regression)"
  ),
]

/// `--data`'s possible values as a message names them.
let dataSetList = namedDataSets.map(\.name).joined(separator: ", ")
