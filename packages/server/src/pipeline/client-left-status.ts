/** 499: nobody was there any more to see a status (nginx's word for it). */
export const clientLeftStatus = 499;
