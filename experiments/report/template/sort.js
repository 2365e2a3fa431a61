// Every table is sorted by a click on a column's head; a second click turns the order round.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const falling = head.getAttribute("aria-sort") === "ascending";
    const key = (row) => {
      const cell = row.cells[column];
      return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
    };
    const order = (one, other) => {
      const [a, b] = [key(one), key(other)];
      const numbers = typeof a === "number" && typeof b === "number";
      return numbers ? a - b : String(a).localeCompare(String(b));
    };
    const rows = [...table.tBodies[0].rows].sort(order);
    if (falling) rows.reverse();
    table.tBodies[0].append(...rows);
    heads.forEach((each) => each.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", falling ? "descending" : "ascending");
  }));
}
