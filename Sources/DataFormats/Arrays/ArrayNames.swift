// Which arrays of an .npz archive are inputs and targets, and of which part of the data.

/// Names of arrays, as `numpy.savez` is given them.
enum ArrayNames {
  private static let inputs = ["x", "features", "data", "inputs", "images"]
  private static let targets = ["y", "target", "targets", "label", "labels"]
  private static let trainingWords = ["train", "training", "tr", ""]
  private static let testWords = ["test", "te", "val", "valid", "validation"]

  /// Whether an array in an archive of its own is one of inputs. The name may be a path's.
  static func areInputs(_ member: String) -> Bool {
    inputs.contains { base in
      (trainingWords + testWords).contains { forms(base, $0).contains(key(member)) }
    }
  }

  /// The places of a part's inputs and targets among arrays with these names; nil where there are none. Inputs and
  /// targets belong together: `x_train` and `y_train`, `X` and `y`, `train_images` and `train_labels`.
  static func places(
    of part: ArchivePart, in names: [String], needsTargets: Bool
  ) -> (inputs: Int?, targets: Int?) {
    let keys = names.map(key)
    func place(_ bases: [String], _ word: String) -> Int? {
      for base in bases {
        let forms = forms(base, word)
        if let place = keys.firstIndex(where: forms.contains) { return place }
      }
      return nil
    }
    var found: (inputs: Int?, targets: Int?) = (nil, nil)
    for word in part == .training ? trainingWords : testWords {
      let pair = (place(inputs, word), place(targets, word))
      if pair.0 != nil, pair.1 != nil || !needsTargets { return pair }
      if found == (nil, nil) { found = pair }
    }
    return found
  }

  private static func forms(_ base: String, _ word: String) -> [String] {
    word.isEmpty ? [base] : ["\(base)_\(word)", "\(word)_\(base)", base + word, word + base]
  }

  /// Without folders, `.npy` and the case of letters.
  private static func key(_ name: String) -> String {
    var name = (name.split(separator: "/").last.map(String.init) ?? name).lowercased()
    if name.hasSuffix(".npy") { name.removeLast(4) }
    return name
  }
}
