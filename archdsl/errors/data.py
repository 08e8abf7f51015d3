"""Mistakes in a folder of images, and in what is trained on it (E431 to E449, W092)."""

from __future__ import annotations

from archdsl.errors.base import Mistake, Severity, named, suggest
from archdsl.errors.shapes import described

LAYOUTS = (
    "for segmentation a folder holds images/ and masks/ with the same file names, for classification a "
    "folder of images for each class; either stands in train/, val/ and test/, or alone"
)


class UnknownLayout(Mistake):
    code = "E431"
    folder: str
    found: tuple[str, ...]
    """The folders that are there."""
    inner: str = ""
    """A folder inside that looks like a data set."""

    def message(self) -> str:
        held = f"it holds {named(f'{name}/' for name in self.found)}" if self.found else "it holds no folders"
        return f"`{self.folder}` is not laid out as a data set: {held}"

    def help(self) -> str:
        return f"did you mean `{self.inner}`?" if self.inner else LAYOUTS


class MissingSplit(Mistake):
    code = "E432"
    folder: str
    split: str
    found: tuple[str, ...]

    def message(self) -> str:
        return f"`{self.folder}` has {named(f'{name}/' for name in self.found)} but no {self.split}/"

    def help(self) -> str:
        near = suggest(self.split, self.found)
        if near is not None and near != self.split:
            return f"rename `{near}` to `{self.split}`"
        return f"add {self.split}/, or drop these folders: a fifth of the images is then kept for validation"


class MissingMasksFolder(Mistake):
    code = "E433"
    folder: str
    found: tuple[str, ...]

    def message(self) -> str:
        return f"`{self.folder}` has images/ but no masks/"

    def help(self) -> str:
        others = [name for name in self.found if name != "images"]
        meant = f"rename `{others[0]}` to `masks`" if len(others) == 1 else "masks/ has one for each image"
        return f"{meant}; a mask has the name of its image"


class NoImages(Mistake):
    code = "E434"
    folder: str
    endings: tuple[str, ...]

    def message(self) -> str:
        return f"there are no images in `{self.folder}`"

    def help(self) -> str:
        return f"files are read that end in {', '.join(self.endings)}"


class MissingMasks(Mistake):
    code = "E435"
    folder: str
    """Where the masks are."""
    images: tuple[str, ...]
    masks: tuple[str, ...]
    """Masks that belong to no image."""

    def message(self) -> str:
        have = "1 image has" if len(self.images) == 1 else f"{len(self.images)} images have"
        return f"{have} no mask in `{self.folder}`: {named(self.images)}"

    def help(self) -> str:
        rule = "a mask has the name of its image"
        return f"{rule}; these masks have no image: {named(self.masks, 3)}" if self.masks else rule


class SameName(Mistake):
    code = "E436"
    folder: str
    files: tuple[str, str]

    def message(self) -> str:
        return f"`{self.files[0]}` and `{self.files[1]}` in `{self.folder}` differ in their ending only"

    def help(self) -> str:
        return "the name without the ending pairs an image with its mask: keep one of the two, or rename it"


class UnreadableImage(Mistake):
    code = "E437"
    path: str
    reason: str

    def message(self) -> str:
        return f"`{self.path}` cannot be read as an image: {self.reason}"

    def help(self) -> str:
        return "replace the file or take it out of the folder"


class MaskOfOtherSize(Mistake):
    code = "E438"
    path: str
    mask: tuple[int, int]
    image: tuple[int, int]
    """Heights and widths."""

    def message(self) -> str:
        (high, wide), (tall, broad) = self.mask, self.image
        return f"the mask `{self.path}` is {high}x{wide}, its image is {tall}x{broad} (height x width)"

    def help(self) -> str:
        return "a mask has a pixel for each pixel of its image; when resizing masks, use nearest neighbour"


class MaskNotIndexed(Mistake):
    code = "E439"
    path: str
    kind: str
    """What the file holds, as in `RGB` or `JPEG`."""

    def message(self) -> str:
        return f"the mask `{self.path}` holds no class numbers: it is {self.kind}"

    def help(self) -> str:
        return (
            "save masks as PNG with one 8-bit channel (or a palette) whose value is the class: 0 for the "
            "background, then 1, 2, ..."
        )


class MaskValueTooHigh(Mistake):
    code = "E440"
    path: str
    value: int
    classes: int

    def message(self) -> str:
        return f"the mask `{self.path}` has the value {self.value}, dataset.json names {self.classes} classes"

    def help(self) -> str:
        if self.value == 255:
            return 'if 255 marks pixels without a label, write "ignore_index": 255 in dataset.json'
        return f"values go from 0 to {self.classes - 1}: complete `classes` in dataset.json, or mend the mask"


class MaskValuesScattered(Mistake):
    code = "E441"
    folder: str
    values: tuple[int, ...]
    path: str
    """A mask with the highest value."""

    def message(self) -> str:
        return (
            f"the masks of `{self.folder}` hold {named(map(str, self.values))}, which are no class numbers "
            f"(`{self.path}` has {self.values[-1]})"
        )

    def help(self) -> str:
        if self.values[-1] == 255 and self.values[:-1] == tuple(range(len(self.values) - 1)):
            return 'if 255 marks pixels without a label, say {"ignore_index": 255} in a dataset.json there'
        numbers = f"0 to {len(self.values) - 1}"
        return f"renumber the values as {numbers}; if gaps are meant, name all `classes` in a dataset.json"


class NothingLabelled(Mistake):
    code = "E442"
    folder: str
    values: tuple[int, ...]

    def message(self) -> str:
        held = f"hold nothing but {self.values[0]}" if self.values else "label no pixel"
        return f"the masks for training in `{self.folder}` {held}: there is nothing to tell apart"

    def help(self) -> str:
        return "0 is the background, the first class to find is 1"


class UntrainedClasses(Mistake):
    """Classes that the masks for training never show, but those for validation or testing do."""

    code = "W092"
    severity = Severity.ADVICE
    folder: str
    classes: tuple[str, ...]

    def message(self) -> str:
        shown = "are" if len(self.classes) > 1 else "is"
        return f"no mask for training in `{self.folder}` has {named(self.classes)}, which {shown} scored"

    def help(self) -> str:
        return "what is never shown is not learned: move images that have it to train/, or mend the masks"


class ClassFoldersDiffer(Mistake):
    code = "E443"
    folder: str
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    where: str
    """What names the classes: the training split or dataset.json."""

    def message(self) -> str:
        if self.missing:
            return f"`{self.folder}` has no images of {named(self.missing)}, which {self.where} names"
        return f"`{self.folder}` has {named(self.unknown)}, which {self.where} does not name"

    def help(self) -> str:
        for name in self.missing:
            near = suggest(name, self.unknown)
            if near is not None:
                return f"is `{near}` meant to be `{name}`?"
        return "every class has a folder of the same name for training and for validation"


class TooFewImages(Mistake):
    code = "E444"
    folder: str
    count: int
    wanted: int

    def message(self) -> str:
        images = "image" if self.count == 1 else "images"
        return f"`{self.folder}` has {self.count} {images}, at least {self.wanted} are needed"

    def help(self) -> str:
        return "batch normalisation needs two images to train on, and one more is kept for validation"


class BrokenDatasheet(Mistake):
    code = "E445"
    path: str
    key: str
    """The entry that is wrong; empty where the file as a whole is."""
    wanted: str

    def message(self) -> str:
        if not self.key:
            return f"`{self.path}` cannot be used: {self.wanted}"
        return f"`{self.key}` in `{self.path}` cannot be used: {self.wanted}"

    def help(self) -> str:
        if not self.key:
            return "mend the file or take it away: what it would say is then read from the images"
        return f"mend `{self.key}` or take it out: what the file does not say is read from the images"


class FolderTaken(Mistake):
    code = "E446"
    path: str

    def message(self) -> str:
        return f"`{self.path}` is there already and holds something else"

    def help(self) -> str:
        return "name a folder that does not exist yet"


class OutOfMemory(Mistake):
    code = "E447"
    device: str
    batch: int
    size: int

    def message(self) -> str:
        images = f"{self.batch} images of {self.size}x{self.size}"
        return f"the memory of {self.device} does not hold a batch of {images}"

    def help(self) -> str:
        return "train with a smaller batch, a smaller size or a narrower network"


class OutputsDoNotFit(Mistake):
    code = "E448"
    output: str
    got: tuple[int, ...]
    """Shape of the output for one image."""
    task: str
    classes: int

    def message(self) -> str:
        shape = described(self.got) if self.got else "several maps"
        if self.task == "segmentation":
            wanted = f"{self.classes} channels at every pixel"
        else:
            wanted = f"{self.classes} numbers an image"
        return f"the network's output `{self.output}` is {shape}, the data wants {wanted}"

    def help(self) -> str:
        head = "head 1x1" if self.task == "segmentation" else "head linear"
        return f"end the network in `{head} out={self.classes}`"


class RecipeOutOfRange(Mistake):
    code = "E449"
    name: str
    got: object
    wanted: str

    def message(self) -> str:
        return f"`{self.name}` of the training is {self.got}, it has to be {self.wanted}"
