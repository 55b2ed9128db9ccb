// What the batch norms of a model average over, found and filled in by their words: in blocks of any kind too.

extension ModelSpecification {
  /// What each batch norm of it averages over, in blocks too; nil where it does not say.
  package var batchNorms: [BatchNorm.Span?] {
    layers.flatMap { layer in
      layer.description.split { $0.isWhitespace || "()".contains($0) }.filter(\.isBatchNorm).map(\.span)
    }
  }

  /// The same model, whose batch norms average over `span` where they do not say themselves.
  /// - Throws: `WordError` where a layer's text does not make it again.
  package func normalising(over span: BatchNorm.Span) throws(WordError) -> ModelSpecification {
    var result: [any Layer] = []
    for layer in layers {
      let (text, filled) = (layer.description, layer.description.filled(with: span))
      result.append(text == filled ? layer : try Catalog.layer(Word(parsing: filled)))
    }
    return ModelSpecification(result, like: self)
  }

  private init(_ layers: [any Layer], like other: ModelSpecification) {
    self.layers = layers
    description = other.description
    targets = other.targets
    activation = other.activation
  }
}

/// A word in a text of layers.
extension Substring {
  fileprivate var isBatchNorm: Bool { prefix { $0 != ":" } == BatchNorm.names[0] }

  fileprivate var span: BatchNorm.Span? {
    split { ":,".contains($0) }.lazy.compactMap { BatchNorm.Span(rawValue: String($0)) }.first
  }
}

extension String {
  /// The same text of layers, where each batch norm says what it averages over.
  fileprivate func filled(with span: BatchNorm.Span) -> String {
    var result = ""
    var rest = self[...]
    while !rest.isEmpty {
      let word = rest.prefix { !$0.isWhitespace && !"()".contains($0) }
      result += word
      if word.isBatchNorm, word.span == nil { result += (word.contains(":") ? "," : ":") + span.rawValue }
      rest = rest[word.endIndex...]
      if let next = rest.popFirst() { result.append(next) }
    }
    return result
  }
}
