/** A file dropped on the window must not take its place: nothing of the page takes files. */
export const refuseFileDrops = (page: Document): void => {
  for (const type of ["dragover", "drop"] as const) {
    page.addEventListener(type, (event) => {
      if (event.dataTransfer?.types.includes("Files") === true) {
        event.preventDefault();
        event.dataTransfer.dropEffect = "none";
      }
    });
  }
};
