// The words of the shell in both languages; those of the dashboards are in their specification.
const WORDS = {
  pt: {
    language: "English", light: "Claro", dark: "Escuro", from: "De", to: "Até", all: "Todos", chosen: (count) => `${count} escolhidos`, search: "Procurar",
    reset: "Limpar filtros", active: "Filtros", remove: (label) => `Tirar o filtro ${label}`, dashboards: "Painéis", sheets: "Páginas", filters: "Filtros",
    options: "Opções", table: "Dados em tabela", csv: "Baixar CSV", close: "Fechar", print: "Imprimir", estimate: "estimativa",
    estimated: "Estimado, não contado.", interval: "Intervalo de 80 %", intervals: "Traços: intervalo de 80 %.", to_value: "a", none: "sem valor", blank: "vazio",
    yes: "sim", no: "não", better: "melhor", worse: "pior", unchanged: "sem mudança", points: "p.p.", before: (count) => count === 1 ? "o mês anterior" : `os ${count} meses anteriores`,
    against: (at) => `ante ${at.before} (${at.value})`, nothing_before: (at) => `sem comparação: dados só desde ${at.first}`,
    no_value_before: (at) => `sem comparação: nada em ${at.before}`,
    missing: (names) => `Este lake não tem ${names}; por isso não há o que mostrar.`, empty_data: "Não há nenhum dado aqui ainda.",
    empty_choice: "Nada corresponde aos filtros escolhidos.", unknown: "Os dados escolhidos não dizem este valor.",
    made: (at) => `Feito em ${at.day}. Dados até ${at.last}.`, made_only: (at) => `Feito em ${at.day}.`, rows: (count) => count === "1" ? "1 linha" : `${count} linhas`,
    click: "Clique num valor para filtrar todos os gráficos; de novo para tirar o filtro.", good: "bom", bad: "ruim", now: (count) => `${count} visuais atualizados`,
    break_even: "ponto de equilíbrio", zero: "zero", legend: "Legenda",
  },
  en: {
    language: "Português", light: "Light", dark: "Dark", from: "From", to: "To", all: "All", chosen: (count) => `${count} chosen`, search: "Search",
    reset: "Clear filters", active: "Filters", remove: (label) => `Remove the filter ${label}`, dashboards: "Dashboards", sheets: "Sheets", filters: "Filters",
    options: "Options", table: "Data as table", csv: "Download CSV", close: "Close", print: "Print", estimate: "estimate",
    estimated: "Estimated, not counted.", interval: "80 % interval", intervals: "Strokes: 80 % interval.", to_value: "to", none: "no value", blank: "empty",
    yes: "yes", no: "no", better: "better", worse: "worse", unchanged: "no change", points: "pp", before: (count) => count === 1 ? "the month before" : `the ${count} months before`,
    against: (at) => `against ${at.before} (${at.value})`, nothing_before: (at) => `not compared: data only since ${at.first}`,
    no_value_before: (at) => `not compared: nothing in ${at.before}`,
    missing: (names) => `This lake has no ${names}, so there is nothing to show.`, empty_data: "There are no data here yet.",
    empty_choice: "Nothing fits the chosen filters.", unknown: "The chosen data do not tell this value.",
    made: (at) => `Made on ${at.day}. Data up to ${at.last}.`, made_only: (at) => `Made on ${at.day}.`, rows: (count) => count === "1" ? "1 row" : `${count} rows`,
    click: "Click a value to filter all charts; click it again to remove the filter.", good: "good", bad: "bad", now: (count) => `${count} visuals updated`,
    break_even: "break-even", zero: "zero", legend: "Legend",
  },
};

let language = "en";

export const spoken = () => language;
export const locale = () => (language === "pt" ? "pt-BR" : "en-US");
export const speak = (wanted) => { language = wanted.toLowerCase().startsWith("pt") ? "pt" : "en"; };
export const words = () => WORDS[language];
// A text of the specification.
export const text = (both) => both[language];
