// Which files a word of `--data` stands for: who is told that his data are others is told which file holds them.
import System

/// The files of the inputs and of the targets, which may be one; nil for data that are computed, and for named sets that
/// are not on this machine.
/// - Throws: `DistsgdError` when the word is no set's name and there is no such file.
package func dataFiles(_ text: String) throws(DistsgdError) -> (inputs: String, targets: String)? {
  switch try DataSource(text, flag: "--data") {
  case .airfoilLike, .synthetic: return nil
  case .airfoil: return findAirfoil().map { ($0, $0) }
  case .fashionMNIST(let test):
    let split = test ? FashionSplit.test : .train
    guard let folder = findFashionMNIST(), let inputs = fashionFile(folder, split, "images-idx3"),
      let targets = fashionFile(folder, split, "labels-idx1")
    else { return nil }
    return (inputs, targets)
  case .table(let path), .array(let path), .archive(let path, _), .stream(let path): return (path, path)
  case .pictures(let pictures): return (pictures.path, pictures.path)
  case .arrayPair(let inputs, let targets): return (inputs, targets)
  case .images(let path, let labels): return (path, labels ?? labelsPath(forImages: path) ?? path)
  }
}
