// Answers overtake each other. What is shown is only ever replaced by what was asked for later.

export class Order {
  #begun = 0;
  #shown = 0;

  /** The number of a request that begins now. */
  begin() {
    return (this.#begun += 1);
  }

  /** Whether its answer may be shown; then none that was asked for before it may be any more. */
  takes(number) {
    if (number <= this.#shown) return false;
    this.#shown = number;
    return true;
  }

  /** Something was changed: what was asked for up to now does not know of it. */
  changed() {
    this.#shown = this.begin();
  }
}
