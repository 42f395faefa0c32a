//! Jupyter notebooks, nbformat 2 to 4.
//!
//! Everything a reader of the notebook could see goes into one view: each cell's source with its
//! lines joined, runs of stream outputs of one name joined (kernels flush in the middle of a token),
//! each form of a rich output, error texts, attachments, and every string of every metadata and
//! JSON output as `key = "value"`. Payloads of pictures and the like, half the bytes of real
//! notebooks, are passed over. Nothing assumes a schema: unknown keys are walked like metadata.

mod fallback;
mod leaves;

use super::json::{self, Kind, Text, Tree, Unescaper};
use super::{Place, Role, ViewBuilder};

pub use super::json::Fault;

/// Text longer than this in one output, or with a line longer than [`LIBRARY_LINE`], is taken for
/// a library that the output brings along.
const LIBRARY: usize = 200_000;
const LIBRARY_LINE: usize = 20_000;

/// Whether bytes without the name of a notebook hold one all the same. Looks at both ends only.
pub fn looks_like_one(text: &[u8]) -> bool {
    const ENDS: usize = 4096;
    let Some(first) = text.iter().find(|b| !b.is_ascii_whitespace()) else {
        return false;
    };
    if *first != b'{' {
        return false;
    }
    let head = &text[..text.len().min(ENDS)];
    let tail = &text[text.len().saturating_sub(ENDS)..];
    let has = |word: &[u8]| {
        [head, tail]
            .iter()
            .any(|end| memchr::memmem::find(end, word).is_some())
    };
    has(b"\"nbformat\"") && (has(b"\"cells\"") || has(b"\"worksheets\""))
}

/// Decodes a notebook's readable text into `builder`.
///
/// # Errors
/// When the text is not well-formed; `builder` then holds its strings, placed as well as can be.
pub fn decode(
    text: &[u8],
    builder: &mut ViewBuilder,
    places: &mut Vec<Place>,
) -> Result<(), Fault> {
    match json::parse(text) {
        Ok(tree) => {
            Reader {
                text,
                tree: &tree,
                builder,
                places,
                cell: 0,
            }
            .notebook();
            Ok(())
        }
        Err(fault) => {
            fallback::strings(text, builder, places);
            Err(fault)
        }
    }
}

struct Reader<'a> {
    text: &'a [u8],
    tree: &'a Tree,
    builder: &'a mut ViewBuilder,
    places: &'a mut Vec<Place>,
    /// Cells read so far.
    cell: u32,
}

impl<'a> Reader<'a> {
    fn key(&self, node: usize) -> &'a [u8] {
        self.tree.nodes[node]
            .key
            .map_or(b"", |key| key.raw(self.text))
    }

    fn children(&self, node: usize) -> Vec<usize> {
        self.tree.children(node).collect()
    }

    /// The string that object `node` holds under `key`.
    fn field(&self, node: usize, key: &[u8]) -> &'a [u8] {
        let child = self.tree.get(self.text, node, key);
        child
            .and_then(|child| self.tree.string(self.text, child))
            .unwrap_or_default()
    }

    /// Starts a segment in a new place.
    fn begin(&mut self, place: Place, node: usize) {
        let start = self.tree.nodes[node].start as usize;
        self.builder.begin(self.places.len() as u32, start);
        self.places.push(place);
    }

    fn notebook(&mut self) {
        if self.tree.nodes.is_empty() {
            return;
        }
        for child in self.children(0) {
            match self.key(child) {
                b"cells" => self.cells(child),
                b"worksheets" => {
                    for sheet in self.children(child) {
                        for part in self.children(sheet) {
                            match self.key(part) {
                                b"cells" => self.cells(part),
                                _ => self.leaves(
                                    part,
                                    Place {
                                        role: Role::Metadata,
                                        ..Place::default()
                                    },
                                ),
                            }
                        }
                    }
                }
                _ => self.leaves(
                    child,
                    Place {
                        role: Role::Metadata,
                        ..Place::default()
                    },
                ),
            }
        }
    }

    fn cells(&mut self, list: usize) {
        for cell in self.children(list) {
            self.one_cell(cell);
            self.cell += 1;
        }
    }

    fn one_cell(&mut self, cell: usize) {
        let role = match self.field(cell, b"cell_type") {
            b"code" => Role::Code,
            _ => Role::Prose,
        };
        let place = Place {
            role,
            cell: Some(self.cell),
            ..Place::default()
        };
        for part in self.children(cell) {
            match self.key(part) {
                b"cell_type" | b"id" => {}
                b"source" | b"input" => self.joined(part, place.clone()),
                b"outputs" => self.outputs(part),
                b"attachments" => self.attachments(part),
                _ => self.leaves(
                    part,
                    Place {
                        role: Role::Metadata,
                        ..place.clone()
                    },
                ),
            }
        }
    }

    /// A string, or a list of strings joined with nothing between, as one segment.
    fn joined(&mut self, node: usize, place: Place) {
        self.begin(place, node);
        self.append(node, b"");
    }

    /// Appends a string or the strings of a list, with `between` after each of the list.
    fn append(&mut self, node: usize, between: &[u8]) {
        let end = self.tree.nodes[node].next as usize;
        let mut writer = Unescaper::new(self.builder);
        for node in &self.tree.nodes[node..end] {
            if let Kind::String(string) = node.kind {
                writer.write(self.text, string);
                writer.builder.glue(between, string.end as usize);
            }
        }
        writer.reset();
    }

    fn outputs(&mut self, list: usize) {
        let mut running: &[u8] = b"";
        for (index, output) in self.children(list).into_iter().enumerate() {
            let place = Place {
                role: Role::Output,
                cell: Some(self.cell),
                output: Some(index as u32),
                ..Place::default()
            };
            if self.field(output, b"output_type") == b"stream" {
                let name = match self.field(output, b"name") {
                    b"" => b"stdout",
                    name => name,
                };
                self.stream(output, place, name == running);
                running = name;
            } else {
                self.output(output, &place);
                running = b"";
            }
        }
    }

    /// A stream's text, joined to the one before when `goes_on`.
    fn stream(&mut self, output: usize, place: Place, goes_on: bool) {
        for part in self.children(output) {
            match self.key(part) {
                b"text" if goes_on => self.append(part, b""),
                b"text" => self.joined(part, place.clone()),
                b"output_type" | b"name" | b"stream" => {}
                _ => self.leaves(
                    part,
                    Place {
                        role: Role::Metadata,
                        ..place.clone()
                    },
                ),
            }
        }
    }

    fn output(&mut self, output: usize, place: &Place) {
        for part in self.children(output) {
            let key = self.key(part);
            match key {
                b"output_type" | b"ename" => {}
                b"data" => {
                    for form in self.children(part) {
                        let mime = self.key(form);
                        self.mime(form, mime, place);
                    }
                }
                b"evalue" => self.joined(part, place.clone()),
                b"traceback" => {
                    self.begin(place.clone(), part);
                    self.append(part, b"\n");
                }
                b"metadata" => self.leaves(
                    part,
                    Place {
                        role: Role::Metadata,
                        ..place.clone()
                    },
                ),
                _ => match short_mime(key) {
                    Some(mime) => self.mime(part, mime, place),
                    None => self.leaves(part, place.clone()),
                },
            }
        }
    }

    /// One form of a rich output.
    fn mime(&mut self, node: usize, mime: &[u8], place: &Place) {
        if is_payload(mime) {
            return;
        }
        let place = Place {
            mime: Some(String::from_utf8_lossy(mime).into()),
            machine_made: self.is_library(node),
            ..place.clone()
        };
        let is_json = mime == b"application/json" || mime.ends_with(b"+json");
        if is_json || self.tree.nodes[node].kind == Kind::Object {
            self.leaves(node, place);
        } else {
            self.joined(node, place);
        }
    }

    fn is_library(&self, node: usize) -> bool {
        let end = self.tree.nodes[node].next as usize;
        let lengths = self.tree.nodes[node..end]
            .iter()
            .filter_map(|node| match node.kind {
                Kind::String(string) => Some(string),
                _ => None,
            });
        let mut total = 0;
        for string in lengths {
            let raw = string.raw(self.text);
            total += raw.len();
            // Lines end with `\n` inside a JSON string.
            if raw.len() > LIBRARY_LINE && longest_line(raw) > LIBRARY_LINE {
                return true;
            }
        }
        total > LIBRARY
    }

    /// `attachments`: file name, then mime type, then text or base64.
    fn attachments(&mut self, node: usize) {
        for file in self.children(node) {
            for form in self.children(file) {
                let mime = self.key(form);
                if !is_payload(mime) {
                    let place = Place {
                        role: Role::Attachment,
                        cell: Some(self.cell),
                        mime: Some(String::from_utf8_lossy(mime).into()),
                        ..Place::default()
                    };
                    self.joined(form, place);
                }
            }
        }
    }

    fn leaves(&mut self, node: usize, place: Place) {
        let end = self.tree.nodes[node].next as usize;
        let strings = self.tree.nodes[node..end].iter();
        if strings
            .clone()
            .any(|node| matches!(node.kind, Kind::String(_)))
        {
            self.begin(place, node);
            leaves::write(self.text, self.tree, node, self.builder);
        }
    }
}

/// The mime type that a key of an nbformat 3 output stands for.
fn short_mime(key: &[u8]) -> Option<&'static [u8]> {
    Some(match key {
        b"text" => b"text/plain",
        b"html" => b"text/html",
        b"latex" => b"text/latex",
        b"svg" => b"image/svg+xml",
        b"json" => b"application/json",
        b"javascript" => b"application/javascript",
        b"png" => b"image/png",
        b"jpeg" => b"image/jpeg",
        b"pdf" => b"application/pdf",
        _ => return None,
    })
}

/// Whether a mime type's values are pictures, sound or documents in base64, in which no secret
/// stands readable.
fn is_payload(mime: &[u8]) -> bool {
    let picture = mime.starts_with(b"image/") && !mime.starts_with(b"image/svg");
    picture
        || mime == b"application/pdf"
        || [&b"audio/"[..], b"video/", b"font/"]
            .iter()
            .any(|kind| mime.starts_with(kind))
}

/// The longest line of a raw JSON string.
fn longest_line(raw: &[u8]) -> usize {
    let mut longest = 0;
    let mut start = 0;
    for end in memchr::memmem::find_iter(raw, b"\\n") {
        longest = longest.max(end - start);
        start = end + 2;
    }
    longest.max(raw.len() - start)
}

/// The text of a string's key that matters for deciding what the string is.
fn lower(key: Option<Text>, text: &[u8]) -> Vec<u8> {
    key.map(|key| key.raw(text).to_ascii_lowercase())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
