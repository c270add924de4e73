declare module 'virtual:statechart-layouts' {
  const layouts: import('./layout.js').Layouts;
  export default layouts;
}
