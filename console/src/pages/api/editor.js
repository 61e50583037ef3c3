// CodeMirror under the pages' policy: it lives in a shadow root, where its styles are adopted
// style sheets; in the document they would be inline styles, which the policy forbids.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, foldGutter, foldKeymap, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { lintKeymap } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, keymap, lineNumbers, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "preact/hooks";
import { html } from "../../html.js";

const theme = EditorView.theme({
  "&": { height: "100%", backgroundColor: "var(--surface)", color: "var(--ink)", font: "var(--m-12)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { font: "var(--m-12)", overflow: "auto" },
  ".cm-content": { caretColor: "var(--ink)", padding: "8px 0" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--muted)", border: "none" },
  ".cm-placeholder": { color: "var(--muted)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--wait)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--hover)", outline: "1px solid var(--control)" },
  ".cm-foldPlaceholder": { backgroundColor: "var(--sunken)", border: "1px solid var(--line)", color: "var(--ink-2)" },
  ".cm-tooltip": { backgroundColor: "var(--surface)", color: "var(--ink)", border: "1px solid var(--line)", borderRadius: "6px", boxShadow: "var(--lift)", font: "var(--t-12)", maxWidth: "420px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { font: "var(--m-12)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--ink)", color: "var(--on-ink)" },
  ".cm-completionDetail": { fontStyle: "normal", color: "inherit", opacity: ".75" },
  ".cm-completionInfo": { padding: "6px 10px", whiteSpace: "normal" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
  ".cm-docs": { padding: "6px 10px" }, ".cm-docs b": { font: "var(--m-12)", fontWeight: "600", display: "block" }, ".cm-docs span": { color: "var(--ink-2)" },
  ".cm-diagnostic": { padding: "5px 10px", borderLeftWidth: "3px" }, ".cm-diagnostic-error": { borderLeftColor: "var(--failed-mark)" }, ".cm-diagnostic-warning": { borderLeftColor: "var(--fallback-mark)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--failed-mark)" }, ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--fallback-mark)" },
});

/** Ink for names and values, muted for punctuation: no rainbow. */
const highlight = HighlightStyle.define([
  { tag: [tags.keyword, tags.definitionKeyword, tags.operatorKeyword], fontWeight: "600" },
  { tag: [tags.punctuation, tags.paren, tags.brace, tags.squareBracket, tags.separator, tags.comment], color: "var(--muted)" },
  { tag: [tags.typeName, tags.variableName, tags.special(tags.variableName), tags.attributeName], color: "var(--ink-2)" },
]);

/** Types over a selection: a browser would keep its look by an inline style, which the policy forbids. */
function typeOver(event, view) {
  const { from, to, empty } = view.state.selection.main;
  if (event.inputType !== "insertText" || empty || !event.data || view.state.selection.ranges.length > 1 || view.state.readOnly) return false;
  event.preventDefault();
  const insert = () => view.state.update(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
  if (!view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, event.data, insert))) view.dispatch(insert());
  return true;
}

function extensionsOf({ label, hint, extensions, isReadOnly, submit, onChange }) {
  const first = keymap.of([{ key: "Mod-Enter", run: () => (submit(), true) }]);
  const last = keymap.of([{ key: "Escape", run: (view) => (view.contentDOM.blur(), view.dom.getRootNode().host.focus(), true) }]);
  return [
    first, EditorView.domEventHandlers({ beforeinput: typeOver }), lineNumbers(), foldGutter(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(), autocompletion(),
    keymap.of([...closeBracketsKeymap, ...completionKeymap, ...defaultKeymap, ...historyKeymap, ...foldKeymap, ...lintKeymap]), last,
    theme, syntaxHighlighting(highlight), extensions, placeholder(hint), EditorView.contentAttributes.of({ "aria-label": label }),
    EditorState.readOnly.of(isReadOnly), EditorView.updateListener.of((update) => update.docChanged && onChange(update.state.doc.toString())),
  ];
}

/**
 * An editor. `handle.current` is its view; `value` is only what it starts with.
 *
 * Escape leaves it, so that Tab goes on from there. Keys do not reach the page's commands.
 */
export function Editor({ label, value, hint = "", extensions = [], isReadOnly = false, submit = () => undefined, onChange = () => undefined, handle = null }) {
  const host = useRef(null);
  const newest = useRef({});
  newest.current = { submit, onChange };
  useEffect(() => {
    const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: "open" });
    const calls = { submit: () => newest.current.submit(), onChange: (text) => newest.current.onChange(text) };
    const state = EditorState.create({ doc: value, extensions: extensionsOf({ label, hint, extensions, isReadOnly, ...calls }) });
    const view = new EditorView({ state, parent: root, root });
    if (handle) handle.current = view;
    return () => view.destroy();
  }, []);
  return html`<div class="editor" ref=${host} tabindex="-1" onKeyDown=${(event) => event.composedPath()[0] !== host.current && event.stopPropagation()}></div>`;
}

/** Replaces the text of an editor, in a step that can be undone. */
export function replaceText(view, text) {
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
}

